import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { buildSync } from 'esbuild';
import { bundleStep } from '../lib/bundle-step.ts';
import type { BenchResult } from './result.ts';

/** The largest of the bundles: whatever holds for it holds for the others. */
const STEP = 'start-capture';
/** Odd, so that the median is a measurement. */
const ROUNDS = 21;

/** How long the largest Lambda's bundle takes to import in a fresh process, against the SDK's S3 client and no more. */
export async function run(): Promise<BenchResult> {
  const folder = mkdtempSync(join(tmpdir(), 'ledgerhold-cold-import-'));
  try {
    const ours = join(bundleStep(STEP, join(folder, 'ours')), 'index.mjs');
    const peer = bareClient(join(folder, 'peer/index.mjs'));
    // Interleaved, so that whatever else the machine does meets both.
    const rounds = Array.from({ length: ROUNDS }, () => ({ ours: importTime(ours), peer: importTime(peer) }));
    const medians = { ours: median(rounds.map((each) => each.ours)), peer: median(rounds.map((each) => each.peer)) };
    return {
      name: 'cold-import',
      unit: 'ms',
      ours: medians.ours,
      peer: { name: 'the bare S3 client', value: medians.peer },
      ratio: medians.ours / medians.peer,
      limit: { name: '1.3 × the bare S3 client', value: 1.3 * medians.peer },
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function bareClient(outfile: string): string {
  buildSync({
    stdin: {
      contents: "export { S3Client, PutObjectCommand } from '@aws-sdk/client-s3'",
      resolveDir: import.meta.dirname,
    },
    ...{ outfile, bundle: true, platform: 'node', target: 'node24', format: 'esm', mainFields: ['module', 'main'] },
    minify: true,
  });
  return outfile;
}

/** Milliseconds, by the new process's own clock, without its start. */
function importTime(file: string): number {
  const code = `const t = performance.now(); await import(${JSON.stringify(pathToFileURL(file).href)}); console.log(performance.now() - t)`;
  const env = { AWS_REGION: 'eu-central-1', ...environment };
  return Number(execFileSync(process.execPath, ['--input-type=module', '-e', code], { env, encoding: 'utf8' }));
}

/** What the handler's cold start reads. */
const environment = {
  ...{ VAULT_BUCKET: 'bucket', VAULT_PREFIX: 'network', VAULT_ACCOUNT: '111111111111' },
  VAULT_LOCK: '{"mode":"GOVERNANCE","recordDays":365,"artifactDays":14}',
  ...{
    CAPTURES: '{}',
    DUMP_PLACES: '{}',
    ENVELOPE_KEY: 'arn:aws:kms:eu-central-1:111111111111:key/1',
    COPIED_ELSEWHERE: 'no',
  },
};

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}
