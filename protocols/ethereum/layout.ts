import { RlpInvalid } from './errors.ts';
import { integerAt, isList, listItems, payloadAt } from './rlp.ts';

/** Where the fields that are looked at stand in a header; those behind the 17th are only kept. */
export const FIELD = {
  ...{
    parentHash: 0,
    ommersHash: 1,
    stateRoot: 3,
    transactionsRoot: 4,
    number: 8,
    extraData: 12,
    mixHash: 13,
    withdrawalsRoot: 16,
  },
} as const;

/** How long a field of a header is, where that is fixed: what clients refuse any other of. */
const WIDTHS: readonly (number | undefined)[] = [
  ...[32, 32, 20, 32, 32, 32, 256, undefined, undefined, undefined, undefined, undefined, undefined, 32, 8, undefined],
  32,
];
/** A header from Frontier on has 15 fields. */
const FEWEST_FIELDS = 15;

/** Where everything of one block lies in the bytes that hold it. Used again for the next block. */
export interface BlockLayout {
  /** The header, as an item. */
  header: number;
  headerEnd: number;
  /** The header's fields, and its end. */
  readonly fields: number[];
  fieldCount: number;
  /** Header, transactions, ommers, withdrawals and whatever follows them, and the block's end. */
  readonly items: number[];
  itemCount: number;
  number: number;
}

export const newLayout = (): BlockLayout => ({
  ...{ header: 0, headerEnd: 0, fields: [], fieldCount: 0, items: [], itemCount: 0, number: 0 },
});

/** Reads where everything of the block lies that stands at `at`. Throws `RlpInvalid`. */
export function readLayout(bytes: Uint8Array, at: number, end: number, into: BlockLayout): void {
  into.number = -1;
  into.itemCount = listItems(bytes, at, end, into.items);
  if (into.itemCount < 3) throw new RlpInvalid(at, 'a block has header, transactions and ommers at least');
  readHeader(bytes, into.items[0] ?? at, into.items[1] ?? end, into);
  for (let item = 1; item < 3; item++) {
    const start = into.items[item] ?? end;
    if (!isList(bytes, start)) throw new RlpInvalid(start, 'a string stands where a list must');
  }
}

export function readHeader(bytes: Uint8Array, at: number, end: number, into: BlockLayout): void {
  const { fields } = into;
  into.header = at;
  into.headerEnd = end;
  into.fieldCount = listItems(bytes, at, end, fields);
  if (into.fieldCount < FEWEST_FIELDS) {
    throw new RlpInvalid(at, `a header has ${FEWEST_FIELDS} fields at least, not ${into.fieldCount}`);
  }
  into.number = integerAt(bytes, fields[FIELD.number] ?? end, fields[FIELD.number + 1] ?? end);
  for (let field = 0; field < Math.min(into.fieldCount, WIDTHS.length); field++) {
    const start = fields[field] ?? end;
    const width = WIDTHS[field];
    if (isList(bytes, start)) throw new RlpInvalid(start, `field ${field + 1} of its header is a list`);
    if (width === undefined || fieldEnd(into, field) - payloadAt(bytes, start) === width) continue;
    throw new RlpInvalid(start, `field ${field + 1} of its header is not of ${width} bytes`);
  }
}

export const fieldEnd = ({ fields, headerEnd }: BlockLayout, field: number): number => fields[field + 1] ?? headerEnd;

/** Where the contents of a field begin. */
export const fieldAt = (bytes: Uint8Array, { fields, headerEnd }: BlockLayout, field: number): number =>
  payloadAt(bytes, fields[field] ?? headerEnd);
