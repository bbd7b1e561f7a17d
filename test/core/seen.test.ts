import { describe, expect, test } from '@jest/globals';
import { Instant, NetworkName, Seq, Sha256 } from '../../core/names.ts';
import {
  compareTrails,
  furthest,
  proveSame,
  proveVisit,
  SEALS_REMEMBERED,
  type Seal,
  Seen,
  seenNow,
  type Trail,
} from '../../core/seen.ts';

const acme = NetworkName.parse('acme');
const at = (day: number): Instant => Instant.parse(`2026-11-0${day}T00:00:00.000Z`);
const digest = (seq: number, story: number): Sha256 => Sha256.parse(`${story}${String(seq).padStart(63, '0')}`);

/** Manifests `from` to `to`; from number `turn` on of another story. */
const seals = (to: number, { from = 1, turn = Number.POSITIVE_INFINITY } = {}): Seal[] =>
  Array.from({ length: to - from + 1 }, (_, n) => from + n).map((seq) => ({
    ...{ seq: Seq.parse(seq), sha256: digest(seq, seq >= turn ? 2 : 1) },
  }));
const trail = (of: Seal[], node = 'consortium', kind: Trail['kind'] = 'chain'): Trail => ({ kind, node, seals: of });
const seen = (...trails: Trail[]): Seen => seenNow(acme, trails, at(1));
const codes = (findings: readonly { code: string }[]) => findings.map(({ code }) => code);

describe('a visit', () => {
  const before = seen(trail(seals(5)), trail(seals(2), 'toy-1', 'sets'));
  const sets = trail(seals(2), 'toy-1', 'sets');

  test('finds nothing in a history that is as it was, or has grown', () => {
    for (const now of [5, 6, 500]) expect(proveVisit(before, 'acme', [trail(seals(now)), sets])).toEqual([]);
  });

  test('finds a history that is shorter, and one that is gone', () => {
    const shorter = proveVisit(before, 'acme', [trail(seals(4)), sets]);
    expect(shorter).toMatchObject([{ level: 'violation', code: 'HISTORY_ROLLED_BACK' }]);
    expect(shorter[0]?.text).toContain(`manifest 5 (${digest(5, 1)}) at ${at(1)}, and now it ends with 4`);
    expect(proveVisit(before, 'acme', [sets])[0]?.text).toContain('nothing of it is left');
    expect(codes(proveVisit(before, undefined, []))).toEqual(['HISTORY_ROLLED_BACK', 'HISTORY_ROLLED_BACK']);
  });

  test('finds another manifest at a number that was seen, also in a history that is longer now', () => {
    const [finding, more] = proveVisit(before, 'acme', [trail(seals(9, { turn: 4 })), sets]);
    expect([finding?.code, more]).toEqual(['HISTORY_FORKED', undefined]);
    expect(finding?.text).toContain(`manifest 4 of consortium is ${digest(4, 2)} here, and ${digest(4, 1)} when`);
  });

  test('does not take another network, or a node of another kind, for the one that was seen', () => {
    expect(codes(proveVisit(before, 'beta', [trail(seals(5)), sets]))).toEqual(['NETWORK_CHANGED']);
    const otherKind = [trail(seals(5)), trail(seals(2), 'toy-1')];
    expect(codes(proveVisit(before, 'acme', otherKind))).toEqual(['HISTORY_ROLLED_BACK']);
  });

  test('is not held against by what a later one has seen, unless that is another history', () => {
    expect(proveSame(before, 'acme', [trail(seals(3))])).toEqual([]);
    expect(codes(proveSame(before, 'acme', [trail(seals(3, { turn: 3 }))]))).toEqual(['HISTORY_FORKED']);
  });
});

describe('what is remembered', () => {
  test('never moves back, whichever of two visits ends last, and forgets no node', () => {
    const [early, late] = [seenNow(acme, [trail(seals(3))], at(1)), seenNow(acme, [trail(seals(7))], at(2))];
    expect(furthest(late, early)).toEqual(late);
    expect(furthest(early, late)).toEqual(late);
    expect(furthest(undefined, late)).toEqual(late);
    const other = seenNow(acme, [trail(seals(1), 'alpha')], at(3));
    expect(furthest(late, other).chains.map(({ node }) => node)).toEqual(['alpha', 'consortium']);
  });

  test('is the newest manifests of each chain, and a file with a gap or a chain twice is none', () => {
    const much = seen(trail(seals(1000)));
    expect(much.chains[0]?.seals).toEqual(seals(1000, { from: 1001 - SEALS_REMEMBERED }));
    const [chain] = much.chains;
    const gap = { ...chain, seals: [...seals(3), ...seals(9, { from: 9 })] };
    for (const chains of [[gap], [chain, chain]]) expect(Seen.safeParse({ ...much, chains }).success).toBe(false);
  });
});

describe('two members', () => {
  const compare = (theirs: Trail[], ours: Trail[]) => compareTrails('there', theirs, ours);

  test('that have the same have nothing to tell; one that is behind is told, whichever it is', () => {
    expect(compare([trail(seals(5))], [trail(seals(5))])).toEqual([]);
    expect(compare([trail(seals(3))], [trail(seals(5))])).toMatchObject([{ level: 'note', code: 'HISTORY_LAGS' }]);
    expect(compare([trail(seals(5))], [trail(seals(3))])[0]?.text).toContain('this vault is behind');
    expect(compare([], [trail(seals(3))])[0]?.text).toContain('that one is behind');
    expect(compare([trail(seals(3))], [])).toMatchObject([{ level: 'note', code: 'HISTORY_LAGS' }]);
  });

  test('that were told different stories find the first manifest that differs', () => {
    for (const [there, here] of [
      [5, 5],
      [4, 9],
      [9, 4],
    ] as const) {
      const findings = compare([trail(seals(there, { turn: 4 }))], [trail(seals(here))]);
      expect(findings).toMatchObject([{ level: 'violation', code: 'HISTORY_FORKED' }]);
      expect(findings[0]?.text).toContain('manifest 4 of');
      expect(findings[0]?.text).toContain(digest(4, 1));
      expect(findings[0]?.text).toContain(digest(4, 2));
    }
  });

  test('of which one remembers only what the other does not have yet are in doubt', () => {
    const far = trail(seals(300, { from: 201 }));
    const doubt = [{ level: 'unknown', code: 'COMPARISON_OUT_OF_REACH' }];
    expect(compare([far], [trail(seals(200))])).toMatchObject(doubt);
    expect(compare([far], [trail(seals(201))])).toMatchObject([{ code: 'HISTORY_LAGS' }]);
  });

  test('do not see each other’s sets', () => {
    expect(compare([trail(seals(2), 'toy-1', 'sets')], [trail(seals(2, { turn: 1 }), 'toy-1', 'sets')])).toEqual([]);
  });
});
