import { Readable } from 'node:stream';
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { mockClient } from 'aws-sdk-client-mock';
import type { Loaded } from '../../cli/context.ts';
import { destinationMeant, destinationsOf } from '../../cli/members.ts';
import type { Config } from '../../config/schema.ts';
import type { MemberDestination } from '../../core/destination.ts';
import type { Member } from '../../core/members.ts';
import { sha256 } from '../../io/digest.ts';
import { type FaultyS3, startFaultyS3 } from '../fakes/faulty-s3.ts';
import { OWNER } from '../fakes/s3-memory.ts';
import { addOnly, NOW } from '../support/member-buckets.ts';

const US = '999999999999';
const ROLE = `arn:aws:iam::${US}:role/ledgerhold-acme_Delivery`;
const OURS = { bucket: 'vault', region: 'eu-central-1', account: US };
const ON_AWS: MemberDestination = { kind: 'bucket', bucket: 'bank-a', region: 'eu-west-1', account: OWNER };
const SETTINGS = ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_ENDPOINT_URL_S3', 'AWS_REGION'] as const;
const sts = mockClient(STSClient);

let s3: FaultyS3;
const before = { ...process.env };
beforeEach(async () => {
  s3 = await startFaultyS3();
  s3.memory.allows = addOnly;
  sts.reset();
  Object.assign(process.env, { AWS_ACCESS_KEY_ID: 'of-this-machine', AWS_SECRET_ACCESS_KEY: 'b' });
  process.env['AWS_ENDPOINT_URL_S3'] = s3.endpoint;
  // Of nobody: what is asked has to name its Region itself.
  delete process.env['AWS_REGION'];
});
afterEach(async () => {
  for (const name of SETTINGS) {
    if (before[name] === undefined) delete process.env[name];
    else process.env[name] = before[name];
  }
  await s3.stop();
});

async function opened(vault: Config['vault'], destination = ON_AWS) {
  const destinationOf = await destinationsOf({ config: { vault } as Config }, { now: () => NOW });
  return destinationOf({ network: 'acme', member: 'bank-a', destination } as Member);
}

const given = { AccessKeyId: 'of-the-role', SecretAccessKey: 's', SessionToken: 't', Expiration: new Date(4e12) };

describe('a member’s bucket on AWS, delivered to from one machine', () => {
  test('is gone to as the delivery role, narrowed to its prefix, and never as who runs this', async () => {
    sts.on(AssumeRoleCommand).resolves({ Credentials: given });
    const destination = await opened({ s3: OURS });
    expect(await destination.check()).toEqual([]);
    const [asked] = sts.commandCalls(AssumeRoleCommand);
    expect(asked?.args[0].input).toMatchObject({ RoleArn: ROLE, RoleSessionName: 'ledgerhold-bank-a' });
    const { Statement } = JSON.parse(asked?.args[0].input.Policy ?? '');
    expect(Statement[0].Resource).toEqual([
      ...[
        'arn:aws:s3:::bank-a/ledgerhold/acme/bank-a/*',
        'arn:aws:s3:::bank-a/ledgerhold/acme/bank-a.outside/canary.txt',
      ],
    ]);
    // The role's own policy says which key of the vault it may use: here nobody knows its ARN.
    expect(Statement.at(-1)).toMatchObject({ Action: ['kms:Decrypt'], Resource: [`arn:aws:kms:*:${US}:key/*`] });
    for (const { headers } of s3.log) expect(headers['authorization']).toContain('Credential=of-the-role/');
    expect(s3.log.length).toBeGreaterThan(3);
  });

  test('is called off where the role is not to be had, and no member is to blame', async () => {
    sts.on(AssumeRoleCommand).rejects(Object.assign(new Error('not authorized'), { name: 'AccessDenied' }));
    const destination = await opened({ s3: OURS });
    await expect(destination.check()).rejects.toMatchObject({ name: 'DeliveryRoleUnusable' });
    expect(s3.log).toEqual([]);
  });

  test.each<Config['vault']>([
    { folder: './vault' },
    { s3: { bucket: 'vault', region: 'eu-central-1' } },
    { s3: { ...OURS, endpoint: 'http://127.0.0.1:9' } },
  ])('from the vault %j is refused before any call: nobody knows whose role it lets in', async (vault) => {
    const destination = await opened(vault);
    const named = { name: 'DeliveryRoleUnusable', remedy: expect.stringContaining('docs/deliver.md') };
    await expect(destination.check()).rejects.toMatchObject(named);
    const item = { key: 'chain/x/y.rlp', size: 0, sha256: sha256(Buffer.of()), kind: 'file' } as const;
    const signal = AbortSignal.any([]);
    await expect(destination.put(item, () => Readable.from([]), signal)).rejects.toMatchObject(named);
    expect([s3.log, sts.calls()]).toEqual([[], []]);
  });
});

test('a bucket of another S3 server is gone to as who runs this: roles are AWS’s', async () => {
  const destination = await opened({ folder: './vault' }, { ...ON_AWS, endpoint: s3.endpoint });
  expect(await destination.check()).toEqual([]);
  expect(s3.log[0]?.headers['authorization']).toContain('Credential=of-this-machine/');
  expect(sts.calls()).toEqual([]);
});

test.each(['bucket', 'region', 'account', 'kmsKey', 'endpoint'] as const)(
  'a folder and what is said of a bucket, its %s, exclude each other',
  (flag) => {
    const loaded = { config: {}, path: (path: string) => path } as Loaded;
    const meant = () => destinationMeant(loaded, 'bank-a', { folder: '/f', [flag]: 'x' });
    expect(meant).toThrow(/^--folder and --[a-z-]+ are given together$/);
    expect(destinationMeant(loaded, 'bank-a', { folder: '/f' })).toEqual({ kind: 'folder', path: '/f' });
  },
);
