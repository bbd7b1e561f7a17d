import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { bucketState } from '../../aws/bucket-state.ts';
import { s3Client } from '../../aws/s3-client.ts';
import { bucketCheckWith } from '../../cli/checks/bucket.ts';
import { type CheckContext, findingsOf } from '../../cli/checks/check.ts';
import { parseConfig } from '../../config/parse.ts';
import { type FaultyS3, startFaultyS3 } from '../fakes/faulty-s3.ts';

const OURS = '111111111111';
const NODE = 'nodes: [{ name: p-1, protocol: canton, components: { participant: { rds: a }, mediator: { rds: b } } }]';
const configOf = (s3: string, more = ''): string =>
  `network: acme\nvault: { s3: { bucket: backups, ${s3} } }\nencryption: none\nsigning: { kms: key }\n${more}\n${NODE}\n`;
const deployed = (account: string) => `aws: { account: '${account}', region: eu-central-1 }`;

let s3: FaultyS3;
beforeEach(async () => {
  s3 = await startFaultyS3();
});
afterEach(() => s3.stop());

async function found(text: string) {
  const context = { loaded: { config: parseConfig('ledgerhold.yaml', text) } } as unknown as CheckContext;
  const credentials = { accessKeyId: 'key', secretAccessKey: 'secret' };
  const client = s3Client({ endpoint: s3.endpoint, region: 'eu-central-1', credentials });
  const check = bucketCheckWith(async () => ({ bucket, account }) => {
    return bucketState({ client, bucket, ...(account !== undefined && { account }) });
  });
  return findingsOf(() => check.run(context));
}
const told = async (text: string) => (await found(text)).map(({ level, text }) => `${level} ${text}`);

test('a bucket of the account, with versions and locks, is well', async () => {
  expect(await told(configOf(`account: '${OURS}'`))).toEqual([
    `ok backups belongs to account ${OURS}`,
    'ok backups keeps the versions of what is removed',
    'ok backups has Object Lock',
  ]);
});

test('a vault in a folder has no bucket to look at', async () => {
  expect(await told(configOf('').replace(/s3: \{[^}]*\}/, 'folder: ./vault'))).toEqual([]);
});

test('a bucket of another account than the config names is told as that, and never written to', async () => {
  const findings = await found(configOf("account: '222222222222'"));
  expect(findings).toMatchObject([
    { level: 'fail', text: 'backups exists, and does not belong to account 222222222222' },
  ]);
  expect(findings[0]?.remedy).toContain('Write nothing to it');
  expect(new Set(s3.log.map(({ operation }) => operation))).toEqual(new Set(['HeadBucket']));
});

test('where the config names no owner of the bucket, it is the account that the network is deployed to', async () => {
  expect(await told(configOf('', deployed('222222222222')))).toEqual([
    'fail backups exists, and does not belong to account 222222222222',
  ]);
});

test('a bucket that may not be looked at at all is no bucket of somebody else', async () => {
  s3.plan('HeadBucket', { status: 403, code: 'AccessDenied' }, 2);
  s3.plan('GetBucketVersioning', { status: 403, code: 'AccessDenied' });
  expect(await told(configOf(`account: '${OURS}'`))).toEqual([
    expect.stringMatching(/^fail VaultUnavailable: .*AccessDenied/),
  ]);
});

test.each(['Suspended', undefined] as const)('versions that are %s fail where it is deployed to', async (versions) => {
  s3.memory.bucket.versions = versions;
  const findings = await found(configOf('', deployed(OURS)));
  expect(findings).toMatchObject([
    { level: 'ok' },
    { level: 'fail', text: 'backups keeps no versions: what is removed is gone' },
    { level: 'fail', text: expect.stringContaining('has no Object Lock') },
  ]);
  expect(findings[1]?.remedy).toContain('put-bucket-versioning --bucket backups');
  expect(await told(configOf(''))).toContain('warn backups keeps no versions: what is removed is gone');
});

test('a server that knows no versions has none', async () => {
  s3.plan('GetBucketVersioning', { status: 501, code: 'NotImplemented' }, 5);
  expect(await told(configOf(''))).toEqual(['warn backups keeps no versions: what is removed is gone']);
});

test('a lack of Object Lock fails where the deployed steps lock what they write, and nowhere else', async () => {
  s3.memory.bucket.locks = false;
  const findings = await found(configOf('', deployed(OURS)));
  expect(findings.filter(({ level }) => level !== 'ok')).toMatchObject([
    { level: 'fail', text: expect.stringContaining('has no Object Lock'), remedy: expect.stringContaining('Vault') },
  ]);
  expect(await told(configOf(''))).toEqual(['ok backups keeps the versions of what is removed']);
});
