import { createMPT } from '@ethereumjs/mpt';
import { type Input, RLP } from '@ethereumjs/rlp';
import { keccak } from 'hash-wasm';

/** Writes toy chains by other people's RLP and trie, so that what reads them is held to those. */
export interface ToyBlock {
  readonly transactions?: readonly Input[];
  readonly ommers?: readonly Input[];
  readonly withdrawals?: readonly Input[];
  /** Further items of the body, which no header commits to. */
  readonly more?: readonly Input[];
  /** Fields of the header behind the 15th; the withdrawals root is put first. */
  readonly fields?: readonly Input[];
  readonly seal?: Seal;
}

/** Mix hash and extra data: as they stand in the file, and as they are hashed. */
export interface Seal {
  readonly mix: Uint8Array;
  readonly extra: Uint8Array;
  readonly hashed: Uint8Array;
  /** So many last bytes of `extra` are hashed by no rule: round and seals. */
  readonly loose: number;
}

const zeros = (length: number): Uint8Array => new Uint8Array(length);
const join = (...parts: Uint8Array[]): Uint8Array => Buffer.concat(parts);
const digest = async (bytes: Uint8Array): Promise<Uint8Array> => Buffer.from(await keccak(bytes, 256), 'hex');
const ISTANBUL = Buffer.from('63746963616c2062797a616e74696e65206661756c7420746f6c6572616e6365', 'hex');

export const plainSeal = (extra: Uint8Array = zeros(0)): Seal => ({
  ...{ mix: zeros(32), extra, hashed: extra, loose: 0 },
});

const VALIDATORS = [zeros(20).fill(1), zeros(20).fill(2)];
const SEALS = [zeros(65).fill(7), zeros(65).fill(8)];

export function ibftSeal(seals: Input[] = SEALS): Seal {
  const extra = (committed: Input[]) => join(zeros(32), RLP.encode([VALIDATORS, zeros(65).fill(5), committed]));
  return { mix: ISTANBUL, extra: extra(seals), hashed: extra([]), loose: RLP.encode(seals).length };
}

export function qbftSeal(round: Uint8Array = Uint8Array.of(), seals: Input[] = SEALS): Seal {
  const extra = (...last: Input[]) => RLP.encode([zeros(32), VALIDATORS, [], ...last]);
  const loose = RLP.encode(round).length + RLP.encode(seals).length;
  return { mix: ISTANBUL, extra: extra(round, seals), hashed: extra(Uint8Array.of(), []), loose };
}

export function ibft2Seal(seals: Input[] = SEALS): Seal {
  const list = [zeros(32), VALIDATORS, Uint8Array.of()];
  const extra = RLP.encode([...list, Uint8Array.of(0, 0, 0, 3), seals]);
  return { mix: ISTANBUL, extra, hashed: RLP.encode(list), loose: 5 + RLP.encode(seals).length };
}

export interface ToyChain {
  /** Each block as it stands in a file. */
  readonly blocks: readonly Uint8Array[];
  readonly hashes: readonly string[];
}

/** A chain of toy blocks whose first has the number `from` and the parent `parent`. */
export async function toyChain(
  blocks: readonly ToyBlock[],
  { from = 0, parent = zeros(32) }: { readonly from?: number; readonly parent?: Uint8Array } = {},
): Promise<ToyChain> {
  const written: Uint8Array[] = [];
  const hashes: string[] = [];
  let before = parent;
  for (const [at, block] of blocks.entries()) {
    const { bytes, hash } = await toyBlock(block, from + at, before);
    written.push(bytes);
    hashes.push(`0x${Buffer.from(hash).toString('hex')}`);
    before = hash;
  }
  return { blocks: written, hashes };
}

async function toyBlock(block: ToyBlock, number: number, parent: Uint8Array) {
  const { transactions = [], ommers = [], withdrawals, more = [], fields = [], seal = plainSeal() } = block;
  const roots = { transactions: await listRootOf(transactions), withdrawals: await listRootOf(withdrawals ?? []) };
  const ommersHash = await digest(RLP.encode([...ommers]));
  const header = (extra: Uint8Array): Input[] => [
    ...[parent, ommersHash, zeros(20), zeros(32), roots.transactions, zeros(32), zeros(256), 1, number],
    ...[8_000_000, 0, 1_700_000_000 + number, extra, seal.mix, zeros(8)],
    ...(withdrawals === undefined ? fields : [7, roots.withdrawals, ...fields]),
  ];
  const body: Input[] = [
    [...transactions],
    [...ommers],
    ...(withdrawals === undefined ? [] : [[...withdrawals]]),
    ...more,
  ];
  const bytes = RLP.encode([header(seal.extra), ...body]);
  return { bytes, hash: await digest(RLP.encode(header(seal.hashed))) };
}

/** The root of a list, by EthereumJS's trie. A typed transaction is a string, any other a list. */
export async function listRootOf(items: readonly Input[]): Promise<Uint8Array> {
  const trie = await createMPT();
  for (const [index, item] of items.entries()) {
    await trie.put(RLP.encode(index), item instanceof Uint8Array ? item : RLP.encode(item));
  }
  return trie.root();
}

/** Transactions of every form, by their number. */
export const toyTransactions = (count: number, size = 100): Input[] =>
  Array.from({ length: count }, (_, n) =>
    n % 3 === 0
      ? [n, 1, 21_000, zeros(20).fill(n), n, zeros(size), 27, n, n]
      : join(Uint8Array.of(2), zeros(size).fill(n)),
  );
