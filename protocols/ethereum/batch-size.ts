/** How many blocks are asked for at once: follows what answers weigh and what is refused. */
export interface BatchSize {
  next(): number;
  /** So many items came, in so many bytes of answer. */
  took(items: number, bytes: number): void;
  /** So many were too many. */
  refused(items: number): void;
}

const FIRST = 8;
/** More than a hundred at once gained nothing against any client. */
export const MOST_ITEMS = 100;
/** Of an answer as it is sent, two bytes to each of a block: with its text and two on their way, far below 200 MB. */
export const ANSWER_BYTES = 1 << 20;

export function batchSize(budget = ANSWER_BYTES): BatchSize {
  let [most, perItem, everRefused] = [FIRST, 0, false];
  return {
    next: () => Math.max(1, Math.min(most, perItem === 0 ? most : Math.floor(budget / perItem))),
    took(items, bytes) {
      // Large blocks count at once, small ones by and by: what was large may be so again.
      perItem = Math.max(bytes / items, perItem * 0.75);
      if (items < most) return;
      most = Math.min(MOST_ITEMS, everRefused ? most + 1 : most * 2);
    },
    refused(items) {
      everRefused = true;
      most = Math.max(1, Math.min(most, items >> 1));
    },
  };
}
