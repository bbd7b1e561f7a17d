import { blockCutter } from './block-cutter.ts';
import { FIELD, fieldAt, fieldEnd, newLayout, readLayout } from './layout.ts';

/** Looks at a file's blocks while they pass, and keeps the last one. */
export interface LastBlock {
  push(bytes: Uint8Array): void;
  /** The state that the last whole block left behind: `0x` and 64 digits. Undefined before the first. */
  stateRoot(): string | undefined;
}

/** A block must not be proven to be read here; whoever needs that proves the same bytes. */
export function lastBlock(): LastBlock {
  let kept = new Uint8Array(64 * 1024);
  let length = 0;
  const cutter = blockCutter((bytes, at, end) => {
    if (end - at > kept.length) kept = new Uint8Array(end - at);
    kept.set(bytes.subarray(at, end));
    length = end - at;
  });
  return {
    push: cutter.push,
    stateRoot: () => {
      if (length === 0) return undefined;
      const layout = newLayout();
      readLayout(kept, 0, length, layout);
      const root = kept.subarray(fieldAt(kept, layout, FIELD.stateRoot), fieldEnd(layout, FIELD.stateRoot));
      return `0x${Buffer.from(root).toString('hex')}`;
    },
  };
}
