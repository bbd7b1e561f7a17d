import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BenchResult } from './result.ts';

const ROOT = join(import.meta.dirname, '..');
/** Odd, so that the median is a measurement. */
const ROUNDS = 3;
const NODES = 10;

/** Importing CDK and writing a template with one bucket: what no app that uses CDK can do without. */
const BARE = `
  const { App, Stack } = await import('aws-cdk-lib');
  const { Bucket } = await import('aws-cdk-lib/aws-s3');
  const app = new App();
  new Bucket(new Stack(app, 'Bare'), 'Bucket');
  app.synth();`;

/** How long a network of 10 nodes takes from its config to its templates, bundles and cdk-nag included. */
export async function run(): Promise<BenchResult> {
  const folder = mkdtempSync(join(tmpdir(), 'ledgerhold-synth-'));
  try {
    const config = join(folder, 'ledgerhold.yaml');
    writeFileSync(config, JSON.stringify(network()));
    const context = JSON.stringify({ config });
    // Interleaved, so that whatever else the machine does meets both.
    const rounds = Array.from({ length: ROUNDS }, (_, n) => ({
      ours: secondsOf(['bin/app.ts'], { CDK_CONTEXT_JSON: context, CDK_OUTDIR: join(folder, `ours-${n}`) }),
      bare: secondsOf(['--input-type=module', '-e', BARE], { CDK_OUTDIR: join(folder, `bare-${n}`) }),
    }));
    const [ours, peer] = [median(rounds.map((each) => each.ours)), median(rounds.map((each) => each.bare))];
    return {
      ...{ name: 'synth', unit: 's', ours, ratio: ours / peer },
      peer: { name: 'a CDK app with one bucket', value: peer },
      limit: { name: `${NODES} nodes within`, value: 15 },
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function network() {
  const nodes = Array.from({ length: NODES }, (_, n) => ({
    ...{ name: `participant-${n}`, protocol: 'canton' },
    components: { participant: { rds: `participant-${n}` }, mediator: { rds: `mediator-${n}` } },
  }));
  const places = { vault: { folder: './vault' }, encryption: 'none', signing: { keyFile: './key.pem' } };
  return { network: 'bench', ...places, nodes };
}

function secondsOf(args: readonly string[], env: Record<string, string>): number {
  const start = performance.now();
  const { status, stderr } = spawnSync(process.execPath, args, { cwd: ROOT, env: { ...process.env, ...env } });
  if (status !== 0) throw new Error(`node ${args[0]} ended with ${status}: ${String(stderr)}`);
  return (performance.now() - start) / 1000;
}

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
