import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { NodeUnavailable } from '../../../core/chain.ts';
import { type AgreementProps, agree } from '../../../protocols/ethereum/agreement.ts';
import type { ChainNode } from '../../../protocols/ethereum/chain-node.ts';

const clock = { now: () => new Date('2026-11-01T00:00:00Z') };
const hash = (branch: number, number: number) =>
  `0x${branch.toString(16).padStart(8, '0')}${number.toString(16).padStart(56, '0')}`;

/** A node that has the common chain below `splits`, its own from there on, and nothing above `head`. */
function node(name: string, head: number, splits = Number.POSITIVE_INFINITY, branch = 1): ChainNode {
  const hashOf = (number: number) => (number > head ? undefined : hash(number < splits ? 0 : branch, number));
  return {
    name,
    head: async () => head,
    finalized: async () => undefined,
    hashes: async (numbers) => numbers.map(hashOf),
    blocks: () => {
      throw new Error('no block is asked for');
    },
  };
}

const silent = (name: string): ChainNode => ({ ...node(name, 0), hashes: () => new Promise(() => {}) });
const failing = (name: string): ChainNode => ({
  ...node(name, 0),
  hashes: async () => {
    throw new NodeUnavailable(`${name} is down`, 'Start it.');
  },
});

const asked = (monitor: ChainNode, validators: readonly ChainNode[], more: Partial<AgreementProps> = {}) => ({
  ...{ monitor, validators, rule: 'all' as const, clock, patienceMs: 50 },
  ...more,
});

describe('agreement', () => {
  test('ends at the monitor’s height where all say the same, and keeps what each said', async () => {
    const evidence = await agree(0, 1e9, asked(node('m', 100), [node('a', 100), node('b', 120)]));
    expect(evidence).toMatchObject({ end: { number: 100, hash: hash(0, 100) }, rule: 'all', monitor: 'm' });
    expect(evidence.answers).toMatchObject([
      { validator: 'a', number: 100, outcome: 'agrees' },
      { validator: 'b', number: 100, outcome: 'agrees' },
    ]);
  });

  test('takes what the chain calls final, and never more than was asked for', async () => {
    const final = { ...node('m', 100), finalized: async () => 64 };
    expect((await agree(0, 1e9, asked(final, [node('a', 100)]))).end.number).toBe(64);
    expect((await agree(0, 10, asked(final, [node('a', 100)]))).end.number).toBe(10);
  });

  test('walks back to the highest block that all have alike, and names who differs above it', async () => {
    const validators = [node('a', 10_000), node('b', 10_000, 5_001, 7), node('c', 9_990)];
    const evidence = await agree(0, 1e9, asked(node('m', 10_000), validators));
    expect(evidence.end.number).toBe(5_000);
    expect(evidence.rounds).toBeLessThanOrEqual(40);
  });

  test('seven validators that differ in the last 5,000 blocks take at most 40 rounds', async () => {
    const validators = Array.from({ length: 7 }, (_, n) => node(`v${n}`, 1_000_000, 1_000_000 - 5_000 + n * 13, n + 1));
    const evidence = await agree(0, 1e9, asked(node('m', 1_000_000), validators));
    expect(evidence.end.number).toBe(994_999);
    expect(evidence.rounds).toBeLessThanOrEqual(40);
  });

  test('a validator that is silent, down or of another chain stalls it at once, and is named', async () => {
    for (const [odd, words] of [
      [silent('quiet'), 'quiet no answer within 50 ms'],
      [failing('broken'), 'broken NodeUnavailable'],
      [node('stranger', 100, 0, 9), 'stranger is of another chain'],
    ] as const) {
      const stalled = agree(0, 1e9, asked(node('m', 100), [node('a', 100), odd]));
      await expect(stalled).rejects.toMatchObject({
        name: 'ConsensusStalled',
        message: expect.stringContaining(words),
      });
    }
  });

  test('where some may be missing, the others agree, and the evidence says who was not among them', async () => {
    const validators = [node('a', 100), node('b', 100), silent('quiet'), node('stranger', 100, 0, 9)];
    const { end, answers } = await agree(0, 1e9, asked(node('m', 100), validators, { rule: 2 }));
    expect(end.number).toBe(100);
    const words = new Set(answers.map(({ validator, outcome }) => `${validator} ${outcome}`));
    expect(words).toEqual(new Set(['a agrees', 'b agrees', 'quiet silent', 'stranger another chain']));
  });

  test('finds nothing below the lowest block that was asked for, and says who said what', async () => {
    const stalled = agree(60, 1e9, asked(node('m', 100), [node('a', 100), node('fork', 100, 50, 3)]));
    const message = expect.stringContaining(`fork calls block 60 ${hash(3, 60)}`);
    await expect(stalled).rejects.toMatchObject({ name: 'ConsensusStalled', message });
  });

  test('a monitor that is behind the history is told apart from a stall', async () => {
    await expect(agree(101, 1e9, asked(node('m', 100), [node('a', 200)]))).rejects.toMatchObject({
      name: 'NodeBehind',
    });
  });

  test('for all heights and forks the end is the highest block that as many as the rule says have alike', async () => {
    const validator = fc.record({
      head: fc.integer({ min: 0, max: 3_000 }),
      splits: fc.integer({ min: 1, max: 3_000 }),
    });
    const network = fc.record({
      head: fc.integer({ min: 0, max: 3_000 }),
      validators: fc.array(validator, { minLength: 1, maxLength: 7 }),
      missing: fc.integer({ min: 0, max: 6 }),
    });
    await fc.assert(
      fc.asyncProperty(network, async ({ head, validators, missing }) => {
        const rule = Math.max(1, validators.length - missing);
        const nodes = validators.map((each, n) => node(`v${n}`, each.head, each.splits, n + 1));
        const reach = validators.map((each) => Math.min(head, each.head, each.splits - 1)).toSorted((a, b) => b - a);
        const { end, rounds } = await agree(0, 1e9, asked(node('m', head), nodes, { rule }));
        expect(end.number).toBe(reach[rule - 1]);
        expect(rounds).toBeLessThanOrEqual(40);
      }),
    );
  });
});
