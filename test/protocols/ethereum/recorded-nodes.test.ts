import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { blockCutter } from '../../../protocols/ethereum/block-cutter.ts';
import type { Dialect } from '../../fakes/ethereum-dialects.ts';
import { describeWithRecordings, RECORDED_CHAINS, recorded } from '../../support/chain-fixtures.ts';
import { watchedNode } from '../../support/chain-nodes.ts';

function blocksOf(file: string): Uint8Array[] {
  const blocks: Uint8Array[] = [];
  const cutter = blockCutter((bytes, at, end) => blocks.push(bytes.slice(at, end)));
  cutter.push(readFileSync(recorded(file)));
  cutter.end();
  return blocks;
}

describeWithRecordings('recorded chains', () => {
  test.each(
    RECORDED_CHAINS.flatMap((chain) =>
      (['geth', 'quorum', 'besu', 'json-only'] satisfies Dialect[]).map((dialect) => ({ ...chain, dialect })),
    ),
  )('$file comes byte for byte from a node that speaks $dialect', async ({ file, first, last, head, dialect }) => {
    await using watched = await watchedNode({ blocks: blocksOf(file), dialect });
    const got: Uint8Array[] = [];
    for await (const block of watched.node.blocks(first, last)) got.push(block);
    expect(Buffer.concat(got).equals(readFileSync(recorded(file)))).toBe(true);
    expect(await watched.node.hashes([last])).toEqual([head]);
  });
});
