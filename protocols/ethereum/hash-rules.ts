import { RlpInvalid } from './errors.ts';
import { sameHash } from './keccak.ts';
import { type BlockLayout, FIELD, fieldAt, fieldEnd } from './layout.ts';
import { isList, itemEnd, payloadAt } from './rlp.ts';

/**
 * How a block's hash follows from its header. `keccak`: of the header as it lies (proof of work, proof of stake, Clique,
 * Raft). The others leave the validators' seals out, which differ from node to node:
 * - `ibft`, the legacy IBFT of Quorum: extra data is a vanity of 32 bytes and the RLP of `[validators, seal, seals]`;
 *   `seals` are emptied, the proposer's seal stays (GoQuorum `core/types/istanbul.go`, `FilteredHeader`)
 * - `qbft`: extra data is `[vanity, validators, vote, round, seals]`; the round becomes 0, seals are emptied
 * - `ibft2`, of Besu: the same five items, the round as four bytes; the last two are dropped
 */
export const HASH_RULES = ['keccak', 'ibft', 'qbft', 'ibft2'] as const;
export type HashRule = (typeof HASH_RULES)[number];
/** `auto`: each header tells, and the block after it decides. */
export type RuleChoice = 'auto' | HashRule;

/** What a header of the Istanbul family has as its mix hash: "tically byzantine fault tolerance", as it begins there. */
const ISTANBUL_MIX = Buffer.from('63746963616c2062797a616e74696e65206661756c7420746f6c6572616e6365', 'hex');

export const isIstanbul = (bytes: Uint8Array, layout: BlockLayout): boolean =>
  sameHash(bytes, fieldAt(bytes, layout, FIELD.mixHash), ISTANBUL_MIX);

/** The rules that a header may be hashed by, the likeliest first. Never empty. */
export function rulesOf(bytes: Uint8Array, layout: BlockLayout, choice: RuleChoice): readonly HashRule[] {
  if (choice !== 'auto') return chosenRules(bytes, layout, choice);
  if (!isIstanbul(bytes, layout)) return ['keccak'];
  const form = extraForm(bytes, layout);
  if (form === undefined) return ['keccak'];
  const filtered = form.items.length === 4 ? (['ibft'] as const) : bftRules(bytes, form);
  // Besu hashes its genesis as it lies; GoQuorum's has no seals, so that both ways come to one.
  return layout.number === 0 ? ['keccak', ...filtered] : [...filtered, 'keccak'];
}

/** By one rule and no other; a genesis also as it lies, since Besu's is hashed so whatever the chain does. */
function chosenRules(bytes: Uint8Array, layout: BlockLayout, rule: HashRule): readonly HashRule[] {
  if (layout.number > 0 || rule === 'keccak') return [rule];
  return filteredExtra(bytes, layout, rule) === undefined ? ['keccak'] : ['keccak', rule];
}

/** A round of four bytes is Besu's older protocol: as a number it would be above 16 million. */
const bftRules = (bytes: Uint8Array, { items }: ExtraForm): readonly HashRule[] => {
  const round = items[3] ?? 0;
  return (items[4] ?? 0) - payloadAt(bytes, round) === 4 ? ['ibft2', 'qbft'] : ['qbft', 'ibft2'];
};

/** The list in extra data that holds the seals: where its items begin, and last where it ends. */
interface ExtraForm {
  readonly items: readonly number[];
}

const VANITY_BYTES = 32;

/** Decodes extra data exactly, to the last byte, as one of the two lists; undefined if it is neither. */
function extraForm(bytes: Uint8Array, layout: BlockLayout): ExtraForm | undefined {
  const start = fieldAt(bytes, layout, FIELD.extraData);
  const end = fieldEnd(layout, FIELD.extraData);
  return exactList(bytes, start + VANITY_BYTES, end, LEGACY) ?? exactList(bytes, start, end, FIVE);
}

const LEGACY = [true, false, true] as const;
/** The vote is a list, or an empty string. */
const FIVE = [false, true, undefined, false, true] as const;

/** A list from `at` to `end` whose items are lists or strings as `kinds` says. */
function exactList(
  bytes: Uint8Array,
  at: number,
  end: number,
  kinds: readonly (boolean | undefined)[],
): ExtraForm | undefined {
  if (at >= end || !isList(bytes, at)) return undefined;
  try {
    if (itemEnd(bytes, at, end) !== end) return undefined;
    const items: number[] = [];
    for (let next = payloadAt(bytes, at); next < end; next = itemEnd(bytes, next, end)) {
      if (items.length === kinds.length) return undefined;
      const kind = kinds[items.length];
      if (kind !== undefined && isList(bytes, next) !== kind) return undefined;
      items.push(next);
    }
    return items.length === kinds.length ? { items: [...items, end] } : undefined;
  } catch (error) {
    if (error instanceof RlpInvalid) return undefined;
    throw error;
  }
}

/** Extra data as a rule hashes it, in pieces: the caller joins them. Undefined if it is not of the rule's form. */
export function filteredExtra(bytes: Uint8Array, layout: BlockLayout, rule: HashRule): ExtraPieces | undefined {
  const items = extraForm(bytes, layout)?.items;
  const start = fieldAt(bytes, layout, FIELD.extraData);
  if (items === undefined || (items.length === 4) !== (rule === 'ibft')) return undefined;
  const [first = 0, , third = 0, fourth = 0] = items;
  if (rule === 'ibft') return { before: [start, start + VANITY_BYTES], kept: [first, third], added: EMPTY_LIST };
  return { before: [start, start], kept: [first, fourth], added: rule === 'qbft' ? ZERO_ROUND_NO_SEALS : NOTHING };
}

/** `before` stands outside the list; the list holds the items `kept`, as they lie, and `added`. */
export interface ExtraPieces {
  readonly before: readonly [from: number, to: number];
  readonly kept: readonly [from: number, to: number];
  readonly added: Uint8Array;
}

const NOTHING = Uint8Array.of();
const EMPTY_LIST = Uint8Array.of(0xc0);
const ZERO_ROUND_NO_SEALS = Uint8Array.of(0x80, 0xc0);
