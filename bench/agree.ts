import { agree } from '../protocols/ethereum/agreement.ts';
import type { ChainNode } from '../protocols/ethereum/chain-node.ts';
import type { BenchResult } from './result.ts';

const VALIDATORS = 7;
const HEIGHT = 1_000_000;
const DIFFERING = 5_000;
const AT_MOST = 40;

const hash = (branch: number, number: number) =>
  `0x${branch.toString(16).padStart(8, '0')}${number.toString(16).padStart(56, '0')}`;

/** A node that has blocks of its own from `splits` on. */
const node = (name: string, branch: number, splits: number): ChainNode => ({
  name,
  head: async () => HEIGHT,
  finalized: async () => undefined,
  hashes: async (numbers) => numbers.map((number) => hash(number < splits ? 0 : branch, number)),
  blocks: () => {
    throw new Error('no block is asked for');
  },
});

/** Calls to everybody that it takes seven validators, which differ in the last 5,000 blocks, to agree on one. */
export async function run(): Promise<BenchResult> {
  const clock = { now: () => new Date() };
  const rounds: number[] = [];
  for (let offset = 0; offset < 1000; offset += 37) {
    const split = (n: number) => HEIGHT - DIFFERING + (n === 0 ? offset : 1 + offset + n * 97);
    const validators = Array.from({ length: VALIDATORS }, (_, n) => node(`v${n}`, n + 1, split(n)));
    const monitor = node('monitor', 0, Number.POSITIVE_INFINITY);
    const evidence = await agree(0, HEIGHT, { monitor, validators, rule: 'all', clock });
    if (evidence.end.number !== split(0) - 1) throw new Error(`agreed on ${evidence.end.number}, not ${split(0) - 1}`);
    rounds.push(evidence.rounds);
  }
  const ours = Math.max(...rounds);
  return {
    ...{ name: 'agree', unit: 'rounds', ours },
    peer: { name: 'one block at a time', value: DIFFERING },
    ratio: ours / DIFFERING,
    limit: { name: `${AT_MOST} rounds`, value: AT_MOST },
  };
}
