import { BlockDamaged, RlpInvalid } from './errors.ts';
import { hex, type Keccak, sameHash } from './keccak.ts';
import { type BlockLayout, FIELD, fieldAt } from './layout.ts';
import { listRoot } from './list-root.ts';
import { isList, listItems } from './rlp.ts';

/** What was found in a block's body. */
export interface BodyCount {
  readonly transactions: number;
  /** Items that nothing in the header is known to commit to: kept, and not checked. */
  readonly unchecked: number;
}

/** Holds the body of the block that is laid out to its header. Throws `RlpInvalid` or `BlockDamaged`. */
export type CheckBody = (bytes: Uint8Array, layout: BlockLayout) => BodyCount;

/** Where the items of a block stand. */
const [TRANSACTIONS, OMMERS, WITHDRAWALS] = [1, 2, 3];

export function bodyChecker(keccak: Keccak): CheckBody {
  const rootOf = listRoot(keccak);
  const noOmmers = keccak(Uint8Array.of(0xc0));
  const scratch: number[] = [];
  return (bytes, layout) => {
    const { items } = layout;
    const end = (item: number) => items[item + 1] ?? 0;
    const root = (item: number, field: number, what: string) => {
      const count = listItems(bytes, items[item] ?? 0, end(item), scratch);
      mustBe(bytes, layout, field, rootOf(bytes, scratch, count), what);
      return count;
    };
    const transactions = root(TRANSACTIONS, FIELD.transactionsRoot, 'transactions root');
    const ommers = items[OMMERS] ?? 0;
    const ommersHash = end(OMMERS) - ommers === 1 ? noOmmers : keccak(bytes.subarray(ommers, end(OMMERS)));
    mustBe(bytes, layout, FIELD.ommersHash, ommersHash, 'ommers hash');
    const known = withdrawals(bytes, layout, root);
    return { transactions, unchecked: layout.itemCount - known };
  };
}

/** From Shanghai on a header commits to withdrawals, and the body must have them. Returns how many items are known. */
function withdrawals(
  bytes: Uint8Array,
  { items, itemCount, fieldCount }: BlockLayout,
  root: (item: number, field: number, what: string) => number,
): number {
  if (fieldCount <= FIELD.withdrawalsRoot) return WITHDRAWALS;
  const start = items[WITHDRAWALS];
  if (itemCount <= WITHDRAWALS || start === undefined) throw new BlockDamaged('its withdrawals are missing');
  if (!isList(bytes, start)) throw new RlpInvalid(start, 'a string stands where a list must');
  root(WITHDRAWALS, FIELD.withdrawalsRoot, 'withdrawals root');
  return WITHDRAWALS + 1;
}

function mustBe(bytes: Uint8Array, layout: BlockLayout, field: number, computed: Uint8Array, what: string): void {
  const at = fieldAt(bytes, layout, field);
  if (sameHash(bytes, at, computed)) return;
  const said = hex(bytes.subarray(at, at + 32));
  throw new BlockDamaged(`its ${what} is ${hex(computed)}, its header says ${said}`);
}
