import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { bundleStep, stepNames } from '../lib/bundle-step.ts';
import { startFaultyS3 } from './fakes/faulty-s3.ts';

// Each starts programs, on a machine that may have others to do.
jest.setTimeout(60_000);

const steps = stepNames();

/** Far from the checkout, so that nothing of its `node_modules` can be reached. */
const folder = mkdtempSync(join(tmpdir(), 'ledgerhold-bundles-'));
const fileOf = (step: string) => join(folder, step, 'index.mjs');
const listOf = (step: string) => join(folder, step, 'list.json');

/** Of the steps that go by it. */
const LISTS = {
  'member-api': { members: {}, chains: {} },
  'deliver-member': { members: { 'bank-a': '333333333333' } },
};

beforeAll(() => {
  bundleStep('claim-slot', folder);
  for (const [step, list] of Object.entries(LISTS)) writeFileSync(listOf(step), JSON.stringify(list));
}, 60_000);
afterAll(() => rmSync(folder, { recursive: true }));

const environment = {
  ...{
    AWS_REGION: 'eu-central-1',
    AWS_ACCESS_KEY_ID: 'key',
    AWS_SECRET_ACCESS_KEY: 'secret',
    AWS_SESSION_TOKEN: 'token',
  },
  ...{ VAULT_BUCKET: 'bucket', VAULT_PREFIX: 'acme', VAULT_ACCOUNT: '111111111111' },
  VAULT_LOCK: '{"mode":"GOVERNANCE","recordDays":365,"artifactDays":14}',
  ...{ CAPTURES: '{}', DUMP_PLACES: '{}', ENVELOPE_KEY: 'envelope', COPIED_ELSEWHERE: 'no', SIGNING_KEY: 'signing' },
  ...{ CHAINS: '{}', BLOCKS_PER_FILE: '1' },
  TICK: '{"enabled":true,"timesADay":4,"timeZone":"UTC"}',
  ...{ NETWORK: 'acme', SNAPSHOTS: '{}', RETENTION: '{"keep":{},"timeZone":"UTC"}', BUCKET_KEY: 'bucket' },
  ...{ SECOND_BUCKET: 'second', SECOND_PREFIX: '', SECOND_ACCOUNT: '222222222222', SECOND_REGION: 'eu-west-1' },
  ...{ MEMBER_MACHINE: 'arn:aws:states:eu-central-1:111111111111:stateMachine:x', DELIVERIES: '', VAULT_KEY: 'bucket' },
  DELIVERY_ROLE: 'arn:aws:iam::111111111111:role/delivery',
  ...{ SECOND_ROLE: 'arn:aws:iam::222222222222:role/keeper', SECOND_KEY: 'alias/second' },
};

/** Runs `code` in a bare Node process, with the step's module as `bundle()`; what it returns, through JSON. */
async function inNode(step: string, code: string, env: Record<string, string> = environment): Promise<unknown> {
  const bundle = `const bundle = () => import(${JSON.stringify(pathToFileURL(fileOf(step)).href)});`;
  const answer = `${bundle} console.log(JSON.stringify(await (async () => { ${code} })()))`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', answer], {
    cwd: folder,
    env,
    timeout: 30_000,
  });
  return lastLine(stdout);
}

/** Before it stands the log. */
const lastLine = (stdout: string): unknown => JSON.parse(stdout.trim().split('\n').at(-1) ?? '');

const told = 'catch (e) { return [e.name, e.constructor.name, e.message] }';

test.each(steps)('the bundle of %s loads by itself and is not larger than 550 KB', async (step) => {
  expect(await inNode(step, 'return typeof (await bundle()).handler')).toBe('function');
  expect(statSync(fileOf(step)).size).toBeLessThanOrEqual(550_000);
});

const run = {
  ...{ network: 'acme', node: 'validator-1', protocol: 'splice', slot: '2026-01-01T00:00:00Z', reason: 'manual' },
  components: ['validator-app', 'participant', 'identities'].map((component) => ({ component, role: component })),
  ...{ pollSeconds: 0, maxSpreadSeconds: 3600 },
};

describe('a bundle', () => {
  test('names what its environment lacks, at the cold start', async () => {
    const { SIGNING_KEY: _, VAULT_BUCKET: __, ...rest } = environment;
    expect(await inNode('seal-manifest', `try { await bundle() } ${told}`, rest)).toEqual([
      'EnvironmentIncomplete',
      'EnvironmentIncomplete',
      'the environment of seal-manifest lacks VAULT_BUCKET, SIGNING_KEY',
    ]);
  });

  test.each(Object.entries(LISTS))('of %s does not load without the list beside it', async (step, list) => {
    rmSync(listOf(step));
    try {
      expect(await inNode(step, `try { await bundle() } ${told}`)).toEqual([
        'MemberListUnreadable',
        'MemberListUnreadable',
        expect.stringContaining(folder),
      ]);
    } finally {
      writeFileSync(listOf(step), JSON.stringify(list));
    }
  });

  test('keeps the names of classes, by which retries go, though it is minified', async () => {
    const code = `const { handler } = await bundle(); try { await handler({ run: 1 }) } ${told}`;
    expect(await inNode('plan-waves', code)).toEqual([
      'ContractBroken',
      'ContractBroken',
      expect.stringContaining('step plan-waves cannot work on this input'),
    ]);
  });

  test('calls S3 with the credentials of its environment, and passes its errors by name', async () => {
    const seen: string[] = [];
    const server = createServer(({ headers }, response) => {
      seen.push(`${String(headers.authorization).split('/eu-')[0]} ${String(headers['x-amz-security-token'])}`);
      response.writeHead(403).end('<Error><Code>AccessDenied</Code><Message>no</Message></Error>');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      const { port } = server.address() as AddressInfo;
      const env = { ...environment, AWS_ENDPOINT_URL_S3: `http://127.0.0.1:${port}` };
      const event = JSON.stringify({ run, holder: 'execution-1' });
      const code = `const { handler } = await bundle(); try { await handler(${event}) } ${told}`;
      expect(await inNode('claim-slot', code, env)).toEqual([
        'VaultUnavailable',
        'VaultUnavailable',
        expect.stringContaining('acme'),
      ]);
      expect(seen[0]).toMatch(/^AWS4-HMAC-SHA256 Credential=key\/\d+ token$/);
    } finally {
      server.close();
    }
  });
});

test('the bundles run the backup: a database that no Lambda can dump ends it by name, and S3 holds the reason', async () => {
  const s3 = await startFaultyS3();
  const [identities, database] = ['identities', 'postgres'].map((kind) => ({ elsewhere: { kind, at: 'somewhere' } }));
  const components = { identities, 'validator-app': database, participant: database };
  const env = {
    ...{ ...environment, AWS_ENDPOINT_URL_S3: s3.endpoint, RUN: JSON.stringify(run) },
    CAPTURES: JSON.stringify({ 'validator-1': components }),
  };
  try {
    const script = join(import.meta.dirname, 'support/run-bundles.ts');
    const { stdout } = await promisify(execFile)(process.execPath, [script, folder], { env, timeout: 60_000 });
    expect(lastLine(stdout)).toMatchObject({ name: 'NotInLambda', message: expect.stringContaining('somewhere') });
    const leases = [...s3.memory.objects]
      .filter(([key]) => key.startsWith('acme/leases/validator-1/'))
      .map(([, { body }]) => body);
    expect(JSON.parse(String(leases.at(-1)))).toMatchObject({ state: 'failed', error: { name: 'NotInLambda' } });
  } finally {
    await s3.stop();
  }
});
