import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { App, Duration, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { Config } from '../../config/schema.ts';
import { memberApi } from '../../lambdas/member-api/contract.ts';
import { backupStacks } from '../../lib/backup-stacks.ts';
import { memberApiStack } from '../../lib/member-api-stack.ts';
import { StepLambda, UNBUNDLED } from '../../lib/step-lambda.ts';
import { startFaultyS3 } from '../fakes/faulty-s3.ts';
import { apiEvent } from '../support/api-event.ts';
import { ACCOUNT, REGION } from '../support/iam.ts';

/** As many as the product is meant for, each with the longest id. */
const MOST = 10_000;
const [FIRST, LAST] = [0, MOST - 1];
const idOf = (n: number) => `${'m'.repeat(35)}-${String(n).padStart(4, '0')}`;
const accountOf = (n: number) => String(200_000_000_000 + n);
const membersUpTo = (count: number) =>
  Array.from({ length: count }, (_, n) => {
    return { id: idOf(n), account: accountOf(n), bucket: `files-of-${n}`, region: 'eu-west-1' };
  });

const configOf = (members: number) =>
  Config.parse({
    ...{ network: 'acme', vault: { folder: 'v' }, encryption: 'none', signing: { kms: 'k' } },
    aws: { account: ACCOUNT, region: REGION },
    nodes: [
      {
        ...{ name: 'consortium', protocol: 'ethereum', client: 'besu', enabled: true },
        monitor: { rpc: 'http://10.0.0.5' },
        validators: [{ name: 'bank-a', rpc: 'http://10.0.0.6' }],
      },
    ],
    members: membersUpTo(members),
  });

function synthesized(members: number, context: object, outdir?: string) {
  const app = new App({ context: { ...context }, ...(outdir !== undefined && { outdir }) });
  const config = configOf(members);
  const [{ backup }] = backupStacks(app, config);
  memberApiStack(app, config, backup.storage);
  return app.synth();
}

test('nothing of any template grows with the members: 10,000 of them make the same as two', () => {
  const templates = (members: number) =>
    synthesized(members, { [UNBUNDLED]: true }).stacks.map(({ template }) => template);
  const most = templates(MOST);
  expect(most.length).toBeGreaterThan(2);
  expect(most).toEqual(templates(2));
}, 120_000);

test('more members than that are taken for a slip of the pen', () => {
  expect(() => configOf(MOST + 1)).toThrow(/10000/);
});

describe('a Lambda that goes by the list', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'ledgerhold-listed-'));
    synthesized(MOST, {}, folder);
  }, 120_000);
  afterAll(() => rmSync(folder, { recursive: true }));

  /** Assets that have it, with their lists. */
  const listed = () =>
    readdirSync(folder)
      .filter((name) => name.startsWith('asset.') && name.length === 'asset.'.length + 64)
      .filter((name) => readdirSync(join(folder, name)).includes('list.json'))
      .map((name) => [name, JSON.parse(readFileSync(join(folder, name, 'list.json'), 'utf8'))] as const);

  test('has every member beside its code, and no other Lambda has any', () => {
    const lists = listed().map(([, list]) => list);
    expect(lists.map((list) => Object.keys(list).toSorted()).toSorted()).toEqual([['chains', 'members'], ['members']]);
    const all = Object.fromEntries(membersUpTo(MOST).map(({ id, account }) => [id, account]));
    for (const { members } of lists) expect(members).toEqual(all);
  });

  test('serves the first member and the last, each to its own account alone', async () => {
    const s3 = await startFaultyS3();
    const asset = listed().find(([, list]) => 'chains' in list)?.[0] ?? '';
    const ask = (n: number, of: number) => apiEvent({ account: accountOf(of) }, 'GET', `/members/${idOf(n)}`);
    const events = [ask(FIRST, FIRST), ask(LAST, LAST), ask(LAST, FIRST), ask(FIRST, MOST)];
    const code = `const { handler } = await import(${JSON.stringify(pathToFileURL(join(folder, asset, 'index.mjs')).href)});
      const said = [];
      for (const event of ${JSON.stringify(events)}) said.push(JSON.parse((await handler(event)).body).error.name);
      console.log(JSON.stringify(said));`;
    try {
      const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', code], {
        cwd: folder,
        env: {
          ...{ AWS_REGION: REGION, AWS_ACCESS_KEY_ID: 'key', AWS_SECRET_ACCESS_KEY: 'secret' },
          ...{ VAULT_BUCKET: 'bucket', VAULT_PREFIX: 'acme', VAULT_ACCOUNT: ACCOUNT, DELIVERIES: '' },
          AWS_ENDPOINT_URL_S3: s3.endpoint,
        },
      });
      const told = JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
      expect(told).toEqual(['NotRegistered', 'NotRegistered', 'NotYourMember', 'NotYourMember']);
    } finally {
      await s3.stop();
    }
  }, 60_000);
});

test('another list is another asset, and the same list in another order the same', () => {
  const codeOf = (list: object | undefined) => {
    const stack = new Stack(new App(), 'One', { env: { account: ACCOUNT, region: REGION } });
    const environment = { VAULT_BUCKET: 'b', VAULT_PREFIX: 'p', VAULT_ACCOUNT: ACCOUNT, DELIVERIES: '' };
    const made = { step: memberApi, environment, timeout: Duration.seconds(1) };
    new StepLambda(stack, 'Step', { ...made, ...(list !== undefined && { list }) });
    const [lambda] = Object.values(Template.fromStack(stack).findResources('AWS::Lambda::Function'));
    return lambda?.['Properties'].Code.S3Key as string;
  };
  const [a, b] = ['333333333333', '444444444444'];
  const first = codeOf({ members: { 'bank-a': a, 'bank-b': b } });
  expect(codeOf({ members: { 'bank-b': b, 'bank-a': a } })).toBe(first);
  expect(new Set([first, codeOf({ members: { 'bank-a': b, 'bank-b': a } }), codeOf(undefined)]).size).toBe(3);
}, 60_000);
