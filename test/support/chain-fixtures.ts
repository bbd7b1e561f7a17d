import { join } from 'node:path';
import { describe } from '@jest/globals';

const folder = process.env['LEDGERHOLD_FIXTURES'];

/** A recorded chain file, such as `private-chains/qbft/chain-node0.rlp`. */
export const recorded = (name: string): string => join(folder ?? '', name);

/** Tests that need the recordings, or their name as skipped. */
export const describeWithRecordings = (name: string, tests: () => void): void =>
  folder === undefined ? describe.skip(`${name} (LEDGERHOLD_FIXTURES is not set)`, tests) : describe(name, tests);

export const RECORDED_CHAINS = [
  {
    file: 'besu-mainnet/blocks-0-999.rlp',
    ...{ first: 0, last: 999, head: '0xc31b362e591aa07faa977dbc492ae43cd47eef291920435153bbbf3acaf2fc2f' },
    rules: { keccak: 1000 },
  },
  {
    file: 'execution-apis/chain.rlp',
    ...{ first: 1, last: 54, head: '0xd226371d0b1551adb03fb52b71f08e3e11247fe9b1af994768af8cdaa8e7dcd7' },
    rules: { keccak: 54 },
  },
  ...[0, 1].map((node) => ({
    file: `private-chains/ibft/chain-node${node}.rlp`,
    ...{ first: 0, last: 139, head: '0x95632d0349b83a5c34cd9813d56303463d2be69efc471e50d22bea17c9a23aa3' },
    rules: { keccak: 1, ibft: 139 },
  })),
  ...[0, 1].map((node) => ({
    file: `private-chains/qbft/chain-node${node}.rlp`,
    ...{ first: 0, last: 138, head: '0x52422356dc223ae72216f606bbd5be75388fa4b651a99ee9b9864f07a852874e' },
    rules: { keccak: 1, qbft: 138 },
  })),
  {
    file: 'private-chains/qbft/live-getBlockRlp-node0.rlp',
    ...{ first: 0, last: 136, head: '0xc358722c8ea3e27bcbed7a1685b083bfd5736ebf1427e79d1b4a2aa5b0c0a2e0' },
    rules: { keccak: 1, qbft: 136 },
  },
  {
    file: 'private-chains/raft/chain.rlp',
    ...{ first: 0, last: 78, head: '0xb9ba09761bb36d436c149afcdab554b6e5014b4d700a73d6d21a6b03d5602e3f' },
    rules: { keccak: 79 },
  },
] as const;
