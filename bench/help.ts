import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import type { BenchResult } from './result.ts';

const ROUNDS = 15;

/** How long `ledgerhold --help` takes beside a bare start of Node; medians of interleaved rounds. */
export async function run(): Promise<BenchResult> {
  const program = join(import.meta.dirname, '../dist/ledgerhold.js');
  const [bare, ours]: [number[], number[]] = [[], []];
  for (let round = 0; round < ROUNDS; round++) {
    bare.push(millisecondsOf(['-e', '0']));
    ours.push(millisecondsOf([program, '--help']));
  }
  const [own, peer] = [median(ours), median(bare)];
  return {
    ...{ name: 'help', unit: 'ms', ours: own, ratio: own / peer },
    peer: { name: 'node -e 0', value: peer },
    limit: { name: 'what feels immediate', value: 150 },
  };
}

function millisecondsOf(args: readonly string[]): number {
  const start = performance.now();
  const { status } = spawnSync(process.execPath, args);
  if (status !== 0) throw new Error(`node ${args.join(' ')} ended with ${status}`);
  return performance.now() - start;
}

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
