import { readFileSync } from 'node:fs';
import { createBlockHeaderFromRLP } from '@ethereumjs/block';
import { Common, Hardfork, Mainnet } from '@ethereumjs/common';
import { beforeAll, expect, test } from '@jest/globals';
import { blockCutter } from '../../../protocols/ethereum/block-cutter.ts';
import { blockHash } from '../../../protocols/ethereum/block-hash.ts';
import { HASH_RULES, rulesOf } from '../../../protocols/ethereum/hash-rules.ts';
import { hex, type Keccak, keccak256 } from '../../../protocols/ethereum/keccak.ts';
import { newLayout, readLayout } from '../../../protocols/ethereum/layout.ts';
import { verifyChainFile } from '../../../protocols/ethereum/verify-file.ts';
import { describeWithRecordings, RECORDED_CHAINS, recorded } from '../../support/chain-fixtures.ts';

let keccak: Keccak;
beforeAll(async () => {
  keccak = await keccak256();
});

/** Every block's number, header and hash, by the rule that its header tells. */
function blocksOf(file: string): { number: number; header: Uint8Array; hash: string }[] {
  const found: { number: number; header: Uint8Array; hash: string }[] = [];
  const layout = newLayout();
  const cutter = blockCutter((bytes, at, end) => {
    readLayout(bytes, at, end, layout);
    const [rule = 'keccak'] = rulesOf(bytes, layout, 'auto');
    const header = bytes.slice(layout.header, layout.headerEnd);
    found.push({ number: layout.number, header, hash: hex(blockHash(bytes, layout, rule, keccak)) });
  });
  cutter.push(readFileSync(recorded(file)));
  cutter.end();
  return found;
}

describeWithRecordings('recorded chains', () => {
  test.each(RECORDED_CHAINS)('$file is proven whole', async ({ file, first, last, head, rules }) => {
    const report = await verifyChainFile(recorded(file), { rule: 'auto', keccak });
    expect(report).toMatchObject({ blocks: last - first + 1, unchecked: 0, problems: [], moreProblems: 0 });
    expect(report).toMatchObject({ first: { number: first }, last: { number: last, hash: head }, rules });
  });

  test.each([
    ['qbft', 'private-chains/qbft'],
    ['ibft', 'private-chains/ibft'],
    ['keccak', 'private-chains/raft'],
  ] as const)('a chain of %s is proven by its own rule, and by no other', async (rule, folder) => {
    const file = RECORDED_CHAINS.map((chain) => chain.file).find((name) => name.startsWith(folder)) ?? '';
    for (const other of HASH_RULES) {
      const { problems } = await verifyChainFile(recorded(file), { rule: other, keccak });
      expect({ other, proven: problems.length === 0 }).toEqual({ other, proven: other === rule });
    }
  });

  test.each(['ibft', 'qbft', 'raft'])('the hashes of %s are those that the node gave while it ran', (chain) => {
    const file = `private-chains/${chain}/${chain === 'raft' ? 'chain' : 'chain-node0'}.rlp`;
    const told = JSON.parse(
      readFileSync(recorded(`private-chains/${chain}/hashes-node0-live.json`), 'utf8'),
    ) as unknown;
    const ours = blocksOf(file).map(({ hash }) => hash);
    const theirs = (Array.isArray(told) ? told : Object.values(told as object)) as string[];
    expect(theirs.length).toBeGreaterThan(70);
    expect(ours.slice(0, theirs.length)).toEqual(theirs.slice(0, ours.length));
  });

  test.each(['ibft', 'qbft'])('two validators’ files of one %s chain differ in bytes and not in hashes', (chain) => {
    const [one, other] = [0, 1].map((node) => `private-chains/${chain}/chain-node${node}.rlp`) as [string, string];
    expect(readFileSync(recorded(one)).equals(readFileSync(recorded(other)))).toBe(false);
    expect(blocksOf(one).map(({ hash }) => hash)).toEqual(blocksOf(other).map(({ hash }) => hash));
  });

  test('EthereumJS gives the same hashes, from mainnet’s first to those of Prague', () => {
    for (const [file, count] of [
      ['besu-mainnet/blocks-0-999.rlp', 1000],
      ['execution-apis/chain.rlp', 54],
    ] as const) {
      const blocks = blocksOf(file);
      expect(blocks).toHaveLength(count);
      for (const { header, hash } of blocks) expect({ hash: theirHash(header) }).toEqual({ hash });
    }
  });
});

/** By the first of their hard forks that takes as many fields. */
function theirHash(header: Uint8Array): string {
  const forks = [Hardfork.Chainstart, Hardfork.London, Hardfork.Shanghai, Hardfork.Cancun, Hardfork.Prague];
  for (const hardfork of forks) {
    try {
      const common = new Common({ chain: Mainnet, hardfork });
      const theirs = createBlockHeaderFromRLP(header, { common, skipConsensusFormatValidation: true });
      return hex(theirs.hash());
    } catch {
      continue;
    }
  }
  return 'none of their hard forks takes it';
}
