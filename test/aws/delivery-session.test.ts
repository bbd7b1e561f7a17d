import { PutObjectCommand } from '@aws-sdk/client-s3';
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts';
import { runSimulation } from '@cloud-copilot/iam-simulate';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { mockClient } from 'aws-sdk-client-mock';
import { type DeliverySession, deliveryClient, sessionCredentials, sessionPolicy } from '../../aws/delivery-session.ts';
import { memberPrefix } from '../../core/names.ts';

const MEMBER = '111111111111';
const US = '999999999999';
const KEY = `arn:aws:kms:eu-central-1:${MEMBER}:key/theirs`;
const OUR_KEY = `arn:aws:kms:eu-west-1:${US}:key/ours`;
const session: DeliverySession = {
  ...{ roleArn: `arn:aws:iam::${US}:role/ledgerhold-acme-delivery`, bucket: 'bank-a', account: MEMBER },
  ...{ region: 'eu-central-1', prefix: memberPrefix('acme', 'bank-a'), kmsKey: KEY, purpose: 'deliver' },
  source: { bucket: 'vault', prefix: 'acme/', kmsKey: OUR_KEY },
};

/** Everything but the session policy says yes, so that this alone decides. */
async function allows(of: DeliverySession, action: string, resource: string, context = {}, accountId = MEMBER) {
  const policy = (Statement: object) => ({ Version: '2012-10-17', Statement });
  const all = { Effect: 'Allow', Action: '*', Resource: '*' };
  const result = await runSimulation(
    {
      request: {
        ...{ principal: `arn:aws:sts::${US}:assumed-role/ledgerhold-acme-delivery/x`, action },
        resource: { resource, accountId },
        contextVariables: {
          ...{ 'aws:SecureTransport': 'true', 's3:TlsVersion': '1.3' },
          ...(action.startsWith('s3:') && { 's3:ResourceAccount': accountId }),
          ...context,
        },
      },
      identityPolicies: [{ name: 'role', policy: policy([all]) }],
      sessionPolicy: sessionPolicy(of),
      ...{ serviceControlPolicies: [], resourceControlPolicies: [] },
      resourcePolicy: policy([{ ...all, Principal: '*' }]),
    },
    {},
  );
  if (result.resultType === 'error') throw new Error(JSON.stringify(result.errors));
  return result.overallResult === 'Allowed';
}

const bucket = (key: string) => `arn:aws:s3:::bank-a/${key}`;
const vault = (key: string) => `arn:aws:s3:::vault/acme/${key}`;
const checking: DeliverySession = { ...session, purpose: 'check' };
const CANARY = bucket('ledgerhold/acme/bank-a/canary/x.txt');
const OUTSIDE = bucket('ledgerhold/acme/bank-a.outside/canary.txt');

describe('the session of a delivery', () => {
  test.each([
    ['s3:PutObject', bucket('ledgerhold/acme/bank-a/chain/x')],
    ['s3:AbortMultipartUpload', bucket('ledgerhold/acme/bank-a/chain/x')],
  ])('may %s under the prefix', async (action, resource) => {
    expect(await allows(session, action, resource)).toBe(true);
  });

  test.each([
    ['s3:PutObject', bucket('ledgerhold/acme/bank-b/chain/x')],
    ['s3:PutObject', bucket('ledgerhold/acme/bank-a')],
    ['s3:PutObject', bucket('x')],
    ['s3:PutObject', 'arn:aws:s3:::bank-b/ledgerhold/acme/bank-a/x'],
    ['s3:PutObject', vault('chain/x')],
    ['s3:GetObject', bucket('ledgerhold/acme/bank-a/chain/x')],
    ['s3:ListBucket', 'arn:aws:s3:::bank-a'],
    ['s3:DeleteObject', CANARY],
    ['s3:PutObject', OUTSIDE],
    ['s3:PutObjectAcl', bucket('ledgerhold/acme/bank-a/chain/x')],
    ['s3:BypassGovernanceRetention', bucket('ledgerhold/acme/bank-a/chain/x')],
  ])('may not %s %s', async (action, resource) => {
    expect(await allows(session, action, resource)).toBe(false);
  });

  test('adds nothing where another account owns the bucket', async () => {
    expect(await allows(session, 's3:PutObject', bucket('ledgerhold/acme/bank-a/x'), {}, '666666666666')).toBe(false);
  });

  test('reads of the vault what members may see, and nothing else', async () => {
    const reads = (key: string) => allows(session, 's3:GetObject', vault(key), {}, US);
    for (const key of ['chain/consortium/x', 'keys/abc.pem', 'format.json']) expect(await reads(key)).toBe(true);
    for (const key of ['sets/v/x', 'members/bank-b/1.json', 'deliveries/x', 'leases/x', 'format.json2']) {
      expect(await reads(key)).toBe(false);
    }
    expect(await allows({ ...session, source: undefined as never }, 's3:GetObject', vault('chain/x'), {}, US)).toBe(
      false,
    );
  });

  test('uses the member’s key, and the vault’s to decrypt, through S3 alone', async () => {
    const through = (region: string) => ({ 'kms:ViaService': `s3.${region}.amazonaws.com` });
    expect(await allows(session, 'kms:GenerateDataKey', KEY, through('eu-central-1'))).toBe(true);
    expect(await allows(session, 'kms:Decrypt', KEY, through('eu-central-1'))).toBe(true);
    expect(await allows(session, 'kms:Decrypt', KEY)).toBe(false);
    expect(await allows(session, 'kms:Decrypt', OUR_KEY, through('eu-west-1'), US)).toBe(true);
    expect(await allows(session, 'kms:GenerateDataKey', OUR_KEY, through('eu-west-1'), US)).toBe(false);
    expect(await allows(session, 'kms:Sign', KEY, through('eu-central-1'))).toBe(false);
  });

  test('of a check may try what the member has to refuse, with canaries alone', async () => {
    expect(await allows(checking, 's3:DeleteObject', CANARY)).toBe(true);
    expect(await allows(checking, 's3:PutObject', OUTSIDE)).toBe(true);
    expect(await allows(checking, 's3:DeleteObject', bucket('ledgerhold/acme/bank-a/chain/x'))).toBe(false);
    expect(await allows(checking, 's3:PutObject', bucket('ledgerhold/acme/bank-b/x'))).toBe(false);
  });

  test('of reading back reads under the prefix and adds canaries, and nothing else', async () => {
    const reading: DeliverySession = { ...session, purpose: 'read', source: undefined as never };
    expect(await allows(reading, 's3:GetObject', bucket('ledgerhold/acme/bank-a/chain/x'))).toBe(true);
    expect(await allows(reading, 's3:PutObject', CANARY)).toBe(true);
    for (const [action, resource] of [
      ['s3:GetObject', bucket('ledgerhold/acme/bank-b/chain/x')],
      ['s3:GetObject', vault('chain/x')],
      ['s3:PutObject', bucket('ledgerhold/acme/bank-a/chain/x')],
      ['s3:DeleteObject', CANARY],
      ['s3:ListBucket', 'arn:aws:s3:::bank-a'],
    ] as const) {
      expect(await allows(reading, action, resource)).toBe(false);
    }
    expect(await allows(checking, 's3:GetObject', CANARY)).toBe(false);
  });

  test('has a policy that STS takes, for the longest names', async () => {
    const long = {
      ...{ ...checking, bucket: 'b'.repeat(63), prefix: memberPrefix('n'.repeat(40), 'm'.repeat(40)) },
      source: { bucket: 'v'.repeat(63), prefix: `${'n'.repeat(40)}/`, kmsKey: OUR_KEY },
    };
    expect(JSON.stringify(sessionPolicy(long)).length).toBeLessThanOrEqual(2048);
  });
});

describe('the client of a delivery', () => {
  const sts = mockClient(STSClient);
  const given = (Expiration: Date) => ({
    Credentials: { AccessKeyId: 'id', SecretAccessKey: 'key', SessionToken: 'token', Expiration },
  });
  beforeEach(() => void sts.reset());
  afterEach(() => void sts.reset());
  const real = new STSClient({ region: 'eu-central-1' });

  test('assumes the role with that policy, under the member’s name, for an hour', async () => {
    const Expiration = new Date('2026-11-24T13:00:00Z');
    sts.on(AssumeRoleCommand).resolves(given(Expiration));
    expect(await sessionCredentials(real, session)()).toMatchObject({ accessKeyId: 'id', expiration: Expiration });
    const { Policy, ...input } = sts.call(0).args[0].input as Record<string, unknown>;
    expect(input).toEqual({ RoleArn: session.roleArn, RoleSessionName: 'ledgerhold-bank-a', DurationSeconds: 3600 });
    expect(JSON.parse(String(Policy))).toEqual(sessionPolicy(session));
  });

  test('asks again before its credentials expire, and not before', async () => {
    sts.on(AssumeRoleCommand).resolvesOnce(given(new Date(Date.now() + 60_000)));
    sts.on(AssumeRoleCommand).resolves(given(new Date(Date.now() + 3_600_000)));
    const { credentials } = deliveryClient(real, session).config;
    for (let n = 0; n < 4; n += 1) await credentials();
    expect(sts.calls().length).toBeLessThanOrEqual(2);
    expect((await credentials()).expiration?.getTime()).toBeGreaterThan(Date.now() + 3_000_000);
  });

  test.each(['AccessDenied', 'ThrottlingException'])('without the role (%s) blames no member', async (name) => {
    sts.on(AssumeRoleCommand).rejects(Object.assign(new Error('no'), { name }));
    const refused = { name: 'DeliveryRoleUnusable', message: expect.stringContaining(session.roleArn) };
    const put = new PutObjectCommand({ Bucket: 'bank-a', Key: 'x', Body: 'x' });
    await expect(deliveryClient(real, session).send(put)).rejects.toMatchObject(refused);
    sts.on(AssumeRoleCommand).resolves({});
    await expect(sessionCredentials(real, session)()).rejects.toMatchObject({ name: 'DeliveryRoleUnusable' });
  });
});
