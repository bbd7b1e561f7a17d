import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { backupRuntime } from '../local/backup-runtime.ts';
import { MemoryVault } from '../test/fakes/memory-vault.ts';
import { newKeys, toyProtocol, toyRun, toySteps } from '../test/support/toy-sets.ts';
import type { BenchResult } from './result.ts';

const ROUNDS = 20;
const LIMIT_SECONDS = 2;

/** A whole run whose captures take no time, through the workflow's engine, against the bare steps called in turn. */
export async function run(): Promise<BenchResult> {
  const definition: unknown = JSON.parse(
    readFileSync(join(import.meta.dirname, '../dist/workflows/backup.asl.json'), 'utf8'),
  );
  const world = { vault: new MemoryVault(), keys: newKeys(), protocol: toyProtocol };
  const [ours, peer]: [number[], number[]] = [[], []];
  for (let round = 0; round < ROUNDS; round++) {
    peer.push(
      await seconds(async () => {
        const steps = toySteps(world, toyRun(`bare-${round}`));
        await steps.claim();
        await steps.capture();
        await steps.seal();
      }),
    );
    const slot = toyRun(`engine-${round}`);
    const { ports } = toySteps(world, slot);
    const captures = { ...ports.captures, stop: async () => {} };
    ours.push(
      await seconds(() =>
        backupRuntime(definition, { ...ports, captures }).backup(slot, { executionId: `run-${round}` }),
      ),
    );
  }
  const medians = { ours: median(ours), peer: median(peer) };
  return {
    ...{ name: 'workflow-overhead', unit: 's', ours: medians.ours },
    peer: { name: 'the steps called one after the other', value: medians.peer },
    ratio: medians.ours / medians.peer,
    limit: { name: `${LIMIT_SECONDS} s a run`, value: LIMIT_SECONDS },
  };
}

async function seconds(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return (performance.now() - started) / 1000;
}

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
