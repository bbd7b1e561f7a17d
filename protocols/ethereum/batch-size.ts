/** How many blocks are asked for at once: as many as have come so far without being too much. */
export interface BatchSize {
  items(): number;
  /** All of a batch came: these blocks. */
  came(blocks: readonly Uint8Array[]): void;
  /** A batch of so many was refused, or answered in part. */
  refused(items: number): void;
}

const FIRST = 32;
/** More gained nothing on any real node. */
const MOST = 100;
/** Of blocks in one answer, which is twice that in hexadecimal: far below what servers send, and what memory is for. */
const BYTES = 4 * 1024 * 1024;

export function batchSize(): BatchSize {
  let items = FIRST;
  /** What was refused is not tried again before this many batches have come. */
  let careful = 0;
  return {
    items: () => items,
    came(blocks) {
      const bytes = blocks.reduce((sum, { length }) => sum + length, 0);
      const fitting = Math.max(1, Math.floor((BYTES * blocks.length) / Math.max(1, bytes)));
      careful = Math.max(0, careful - 1);
      const wished = careful > 0 ? items : Math.ceil(items * 1.5);
      items = Math.min(MOST, fitting, wished);
    },
    refused(refusedItems) {
      items = Math.max(1, Math.floor(refusedItems / 2));
      careful = 16;
    },
  };
}
