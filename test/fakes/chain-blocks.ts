import { blockHash } from '../../protocols/ethereum/block-hash.ts';
import { rulesOf } from '../../protocols/ethereum/hash-rules.ts';
import { hex, keccak256 } from '../../protocols/ethereum/keccak.ts';
import { newLayout, readLayout } from '../../protocols/ethereum/layout.ts';

export interface ChainBlock {
  readonly bytes: Uint8Array;
  /** By the likeliest rule that its header tells. */
  readonly hash: () => string;
}

/** Blocks by their own numbers. */
export async function chainOf(blocks: readonly Uint8Array[]): Promise<ReadonlyMap<number, ChainBlock>> {
  const keccak = await keccak256();
  const layout = newLayout();
  return new Map(
    blocks.map((bytes) => {
      readLayout(bytes, 0, bytes.length, layout);
      let kept: string | undefined;
      const hash = () => {
        if (kept !== undefined) return kept;
        readLayout(bytes, 0, bytes.length, layout);
        const [rule = 'keccak'] = rulesOf(bytes, layout, 'auto');
        kept = hex(blockHash(bytes, layout, rule, keccak));
        return kept;
      };
      return [layout.number, { bytes, hash }];
    }),
  );
}
