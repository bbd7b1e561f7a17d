import type { BlockRef } from './chain.ts';
import {
  type Cursor,
  type Delivered,
  type DeliveryReceipt,
  type DeliveryTotals,
  filesReach,
  NOTHING_DELIVERED,
  totalsWith,
} from './delivery.ts';
import type { Instant, Sha256 } from './names.ts';
import { type Finding, violation } from './proof.ts';
import { READ_BACK_DAYS, type ReadBack } from './read-back.ts';

/** What a vault has under a key that is for members, as far as its history says it; undefined: it does not. */
export interface Listed extends Pick<Delivered, 'key' | 'kind'> {
  readonly size: number | undefined;
  readonly sha256: Sha256 | undefined;
}

/** What one manifest brings: the files and documents that it rests on, its signature and itself. */
export interface Unit {
  readonly node: string;
  readonly seq: number;
  readonly sha256: Sha256;
  readonly sealedAt: Instant;
  readonly head: BlockRef | null;
  readonly objects: readonly Listed[];
}

/** All that a vault has for members. */
export interface Shared {
  readonly objects: ReadonlyMap<string, Listed>;
  readonly unit: (node: string, seq: number) => Unit | undefined;
}

/** What the receipts of one registration have said before the one in question. */
export interface Standing {
  /** The last of them; undefined: there is none, or it is not `known`. */
  readonly before: DeliveryReceipt | undefined;
  /** False: the one right before it cannot be read. */
  readonly known: boolean;
  /** Of what the vault has, what they list. A receipt’s own is added when it is proved. */
  readonly there: Set<Listed>;
  /** False: one of them cannot be read, and nobody knows what it lists. */
  readonly whole: boolean;
}

/** Holds what a receipt says against the vault’s history, and against the receipts before it. */
export function proveReceipt(key: string, value: DeliveryReceipt, standing: Standing, shared: Shared): Finding[] {
  return [
    ...proveDelivered(key, value, standing.there, shared),
    ...proveCursors(key, value, standing, shared),
    ...(standing.known
      ? [...proveTotals(key, value, standing.before), ...proveTrust(key, value, standing.before)]
      : []),
  ];
}

function proveDelivered(about: string, { delivered }: DeliveryReceipt, there: Set<Listed>, shared: Shared): Finding[] {
  const [wrong, twice, unknown]: [string[], string[], string[]] = [[], [], []];
  for (const { key, size, sha256, kind } of delivered) {
    const listed = shared.objects.get(key);
    if (listed === undefined) unknown.push(key);
    else {
      if (there.has(listed)) twice.push(key);
      there.add(listed);
      if (kind !== listed.kind || size !== (listed.size ?? size) || sha256 !== (listed.sha256 ?? sha256))
        wrong.push(key);
    }
  }
  const told = (code: string, keys: readonly string[], what: string): Finding[] =>
    keys.length === 0 ? [] : [violation(code, about, `${about} lists ${what}: ${some(keys)}`)];
  return [
    ...told('DELIVERED_WRONG', wrong, 'other bytes than this vault’s history has'),
    ...told('DELIVERED_TWICE', twice, 'what was listed before, and counts it again'),
    ...unlisted(about, unknown),
  ];
}

/** Removed from the end of a history, or of a vault whose copy has not got so far yet. */
const unlisted = (about: string, keys: readonly string[]): Finding[] => {
  if (keys.length === 0) return [];
  const text = `${about} tells of what no manifest here lists: removed, or not copied yet (${some(keys)})`;
  return [{ level: 'unknown', code: 'DELIVERED_UNKNOWN', about, text }];
};

const some = ([first = '', ...more]: readonly string[]): string =>
  more.length === 0 ? first : `${first} and ${more.length} more`;

/** Of a manifest, chain files may have got less far than all else. */
const ofFiles = { reach: filesReach, are: (kind: string) => kind === 'file' };
const ofOthers = { reach: (cursor: Cursor | undefined) => cursor, are: (kind: string) => kind !== 'file' };

/** A cursor never goes back, is a manifest of the history, and stands behind nothing that no receipt lists. */
function proveCursors(about: string, value: DeliveryReceipt, { before, there, whole }: Standing, shared: Shared) {
  const found: Finding[] = [];
  const wrong = (text: string) => void found.push(violation('CURSOR_WRONG', about, `${about} ${text}`));
  for (const [node, old] of Object.entries(before?.cursors ?? {})) {
    const now = value.cursors[node];
    const back =
      now === undefined ||
      now.seq < old.seq ||
      (now.seq === old.seq && now.sha256 !== old.sha256) ||
      (filesReach(now)?.seq ?? 0) < (filesReach(old)?.seq ?? 0);
    if (back) wrong(`takes ${node} back behind manifest ${old.seq}`);
  }
  for (const [node, cursor] of Object.entries(value.cursors)) {
    const places = [cursor, ...(cursor.files ? [cursor.files] : [])];
    const unknown = places.filter(({ seq }) => shared.unit(node, seq) === undefined);
    if (unknown.length > 0) {
      found.push(...unlisted(about, [`manifest ${unknown[0]?.seq} of ${node}`]));
      continue;
    }
    for (const { seq, sha256, sealedAt, block } of places) {
      const unit = shared.unit(node, seq);
      const same = unit?.sha256 === sha256 && unit.sealedAt === sealedAt && (unit.head?.number ?? null) === block;
      if (!same) wrong(`has another manifest ${seq} of ${node} than this vault`);
    }
    if (!whole) continue;
    const lacking: string[] = [];
    for (const side of [ofFiles, ofOthers]) {
      const upTo = side.reach(cursor)?.seq ?? 0;
      for (let n = (side.reach(before?.cursors[node])?.seq ?? 0) + 1; n <= upTo; n++) {
        const objects = shared.unit(node, n)?.objects.filter(({ kind }) => side.are(kind)) ?? [];
        lacking.push(...objects.filter((each) => !there.has(each)).map(({ key }) => key));
      }
    }
    if (lacking.length > 0)
      wrong(`says that all of ${node} up to manifest ${cursor.seq} is there, and not ${some(lacking)}`);
  }
  return found;
}

function proveTotals(about: string, { totals, delivered }: DeliveryReceipt, before: DeliveryReceipt | undefined) {
  const sums = totalsWith(before?.totals ?? NOTHING_DELIVERED, delivered);
  const names = (Object.keys(sums) as (keyof DeliveryTotals)[]).filter((name) => totals[name] !== sums[name]);
  if (names.length === 0) return [];
  const said = names.map((name) => `${totals[name]} ${name}, not ${sums[name]}`).join('; ');
  return [violation('TOTALS_WRONG', about, `${about} does not add up: it says ${said}`)];
}

/** What is there of the format and the keys stays there, and is more only by what was delivered. */
function proveTrust(about: string, { trust, delivered }: DeliveryReceipt, before: DeliveryReceipt | undefined) {
  const known = new Set([...(before?.trust ?? []), ...delivered.map(({ key }) => key)]);
  const wrong = [
    ...trust.filter((key) => !known.has(key)),
    ...(before?.trust.filter((key) => !trust.includes(key)) ?? []),
  ];
  if (wrong.length === 0) return [];
  return [
    violation('TRUST_WRONG', about, `${about} and the receipts before it do not agree whether ${some(wrong)} is there`),
  ];
}

/** Holds what a proof says against the one before it of the same registration; undefined: it is the first. */
export function proveReadBack(about: string, value: ReadBack, before: ReadBack | undefined): Finding[] {
  const upTo = [...(before?.upTo ?? Array.from({ length: READ_BACK_DAYS }, () => 0))];
  if (value.whole) upTo[value.day % READ_BACK_DAYS] = value.receipts;
  const back = (['day', 'receipts', 'proven'] as const).filter((name) => value[name] < (before?.[name] ?? 0));
  const names = [...back, ...(upTo.every((n, day) => n === value.upTo[day]) ? [] : ['upTo'])];
  if (names.length === 0) return [];
  return [
    violation('READ_BACK_WRONG', about, `${about} does not follow from the proof before it: ${names.join(', ')}`),
  ];
}
