import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { memberClient } from '../../aws/s3-client.ts';
import { type S3DestinationOptions, s3Destination } from '../../aws/s3-destination.ts';
import { HistoryDamaged } from '../../core/chain.ts';
import {
  type Deliverable,
  type Destination,
  MemberRefused,
  MemberUnavailable,
  type Stored,
} from '../../core/delivery.ts';
import { VaultUnavailable } from '../../core/vault.ts';
import { sha256 } from '../../io/digest.ts';
import { base64Crc64 } from '../fakes/crc64-nvme.ts';
import type { Fault } from '../fakes/faulty-s3.ts';
import { type Operation, OWNER } from '../fakes/s3-memory.ts';
import { addOnly, type MemberBucketWorld, memberBucketWorld, PREFIX, SOURCE } from '../support/member-buckets.ts';

const GIB = 1024 ** 3;
const never = AbortSignal.any([]);
const body = Buffer.from('a chain file of many blocks');
const KEY = 'chain/consortium/slot-1-block-0-9.rlp';
const item: Deliverable = { key: KEY, size: body.length, sha256: sha256(body), kind: 'file' };
const OURS_KEY = `arn:aws:kms:eu-central-1:999999999999:key/1`;
const MEMBERS_KEY = `arn:aws:kms:eu-central-1:${OWNER}:key/1`;

let world: MemberBucketWorld;
let streams: number;
beforeEach(async () => {
  world = await memberBucketWorld();
  streams = 0;
  world.lay(SOURCE + KEY, body);
});
afterEach(() => world.stop());

async function* bytes(): AsyncGenerator<Uint8Array> {
  streams += 1;
  for (const byte of body) yield Buffer.of(byte);
}
const put = (to: Destination, of = item, signal = never) => to.put(of, bytes, signal);
const inParts = (more: Partial<S3DestinationOptions> = {}) =>
  s3Destination({ ...world.options, partsFrom: 5, ...more }, world.clock);
/** An object of 5 GiB, which its bytes are not. */
const large: Deliverable = { ...item, key: 'chain/consortium/large', size: 5 * GIB };
const layLarge = () => world.lay(SOURCE + large.key, Buffer.from('large'), { claims: 5 * GIB });
const race = { status: 409, code: 'ConditionalRequestConflict' };

type Proof = (held: Buffer) => Partial<Stored>;
const byCrc64: Proof = (held) => ({ crc64nvme: base64Crc64(held) });
const byCrc32: Proof = (held) => ({
  crc32: Buffer.from(crc32(held).toString(16).padStart(8, '0'), 'hex').toString('base64'),
});
const bySha256: Proof = () => ({ attested: 'sha256' });

/** Each way to put an object, the call that makes it one, and what S3 says then of the bytes that it has. */
const WAYS: [string, Operation, () => Promise<unknown>, string, Proof][] = [
  ['a body', 'PutObject', () => put(world.streaming), KEY, bySha256],
  ['a body in parts', 'CompleteMultipartUpload', () => put(inParts()), KEY, byCrc32],
  ['a copy', 'CopyObject', () => put(world.copying), KEY, byCrc64],
  ['a copy in parts', 'CompleteMultipartUpload', () => (layLarge(), put(world.copying, large)), large.key, byCrc64],
];

async function refusalOf(work: Promise<unknown>): Promise<MemberRefused> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(MemberRefused);
  return error as MemberRefused;
}

describe.each(WAYS)('%s', (_, commit, send, key, proof) => {
  test('says how it was stored, and names owner, condition and encryption, and nothing else of its own', async () => {
    const { fake } = world;
    const stored = await send();
    expect(stored).toEqual({
      ...{ outcome: 'written', encryption: 'AES256', versionId: expect.stringContaining('version-of-') },
      ...proof(world.held(key) ?? Buffer.alloc(0)),
    });
    for (const { headers } of fake.log) {
      expect(headers['x-amz-expected-bucket-owner']).toBe(OWNER);
      for (const odd of ['x-amz-acl', 'x-amz-tagging']) expect(headers[odd]).toBeUndefined();
      expect(Object.keys(headers).filter((name) => name.startsWith('x-amz-meta-'))).toEqual([]);
    }
    const written = fake.log.filter(({ operation }) => operation === commit);
    expect(written.map(({ headers }) => headers['if-none-match'])).toEqual(['*']);
    const begun = fake.log.filter(({ operation }) => /^(Put|Copy|CreateM)/.test(operation));
    expect(begun.map(({ headers }) => headers['x-amz-server-side-encryption'])).toEqual(['AES256']);
  });

  test('under the member’s key is asked for, and answered, with its full ARN', async () => {
    const kmsKey = MEMBERS_KEY;
    const options = { ...world.options, kmsKey };
    world.streaming = s3Destination(options, world.clock);
    world.copying = s3Destination({ ...options, source: world.source }, world.clock);
    world.options = options;
    expect(await send()).toMatchObject({ outcome: 'written', encryption: MEMBERS_KEY });
  });

  test('goes into a bucket that locks what comes, by default', async () => {
    world.fake.memory.bucket.locksByDefault = true;
    expect(await send()).toMatchObject({ outcome: 'written' });
  });

  test('to a key that is taken is there, and leaves what lies there', async () => {
    world.lay(PREFIX + key, Buffer.from('theirs'));
    expect(await send()).toEqual({ outcome: 'there' });
    expect(world.held(key)).toEqual(Buffer.from('theirs'));
    expect(world.fake.memory.uploads.size).toBe(0);
  });

  test.each<[string, Fault]>([
    ['a race', race],
    ['a busy server', { status: 503, code: 'SlowDown' }],
    ['a server in trouble', { status: 500, code: 'InternalError' }],
    ['a success that holds an error', { status: 200, code: 'InternalError' }],
    ['a cut connection', 'drop'],
  ])('meets %s, and is sent again', async (__, fault) => {
    world.fake.plan(commit, fault, 2);
    expect(await send()).toMatchObject({ outcome: 'written' });
    // Full jitter: at most so much.
    expect(world.waits.slice(-2)).toEqual([400, 800]);
  });

  test.each<[string, Fault]>([
    ['races', race],
    ['a storm of 503', { status: 503, code: 'SlowDown' }],
    ['successes that hold errors', { status: 200, code: 'InternalError' }],
    ['cut connections', 'drop'],
  ])('that meets nothing but %s is unavailable, and leaves nothing', async (__, fault) => {
    world.fake.plan(commit, fault, 6);
    await expect(send()).rejects.toBeInstanceOf(MemberUnavailable);
    expect(world.seen(commit)).toHaveLength(6);
    expect(world.held(key)).toBeUndefined();
    expect(world.fake.memory.uploads.size).toBe(0);
  });

  test.each([
    [403, 'AccessDenied', 'ACCESS_DENIED', `account ${OWNER} owns the bucket`],
    [404, 'NoSuchBucket', 'NO_SUCH_BUCKET', 'let the check be run again'],
    [301, 'PermanentRedirect', 'ANOTHER_REGION', 'Region'],
    [400, 'AuthorizationHeaderMalformed', 'ANOTHER_REGION', 'Region'],
    [400, 'IllegalLocationConstraintException', 'ANOTHER_REGION', 'Region'],
    [400, 'KMS.DisabledException', 'KEY_UNUSABLE', 'Enable the key'],
    [400, 'InvalidRequest', 'REFUSED', 'members policy'],
  ])(
    'that is answered %i %s is refused at once as %s, with a remedy for the member',
    async (status, code, name, says) => {
      world.fake.plan(commit, { status, code });
      const { fault } = await refusalOf(send());
      expect(fault).toMatchObject({ name, remedy: expect.stringContaining(says) });
      expect(world.seen(commit)).toHaveLength(1);
      expect(world.held(key)).toBeUndefined();
      expect(world.fake.memory.uploads.size).toBe(0);
    },
  );

  test.each(['ExpiredToken', 'InvalidAccessKeyId', 'RequestTimeTooSkewed'])(
    'that fails by our own %s is no member’s fault',
    async (code) => {
      world.fake.plan(commit, { status: 403, code });
      await expect(send()).rejects.toMatchObject({ name: 'DeliveryRoleUnusable' });
    },
  );

  test('to a bucket that another account owns now gets no byte there', async () => {
    world.fake.memory.owners.set('bank-a', '666666666666');
    expect((await refusalOf(send())).fault.name).toBe('ACCESS_DENIED');
    expect([...world.fake.memory.objects.keys()].filter((each) => each.startsWith(PREFIX))).toEqual([]);
  });

  test('that S3 encrypts with another key than was agreed on is refused', async () => {
    world.fake.memory.encrypts = () => ({
      ...{ 'x-amz-server-side-encryption': 'aws:kms', 'x-amz-server-side-encryption-aws-kms-key-id': OURS_KEY },
    });
    const { fault } = await refusalOf(send());
    expect(fault).toMatchObject({ name: 'ANOTHER_KEY', message: expect.stringContaining(OURS_KEY) });
  });

  test('makes no call for a name that lies', async () => {
    const options = { ...world.options, bucket: 'bank-222222222222-eu-central-1-an' };
    world.streaming = s3Destination(options, world.clock);
    world.copying = s3Destination({ ...options, source: world.source }, world.clock);
    world.options = options;
    expect((await refusalOf(send())).fault.name).toBe('NAME_LIES');
    expect(world.fake.log).toEqual([]);
  });
});

describe('a body', () => {
  test('of which a server tells another SHA-256 than was sealed is not said to be attested', async () => {
    const said = { 'x-amz-server-side-encryption': 'AES256', 'x-amz-checksum-sha256': 'AAAA' };
    world.fake.memory.encrypts = () => said;
    expect(await put(world.streaming)).toEqual({
      ...{ outcome: 'written', encryption: 'AES256', versionId: expect.anything() },
    });
  });

  test('is signed with the digest that was sealed, and goes as it comes', async () => {
    await put(world.streaming);
    const [{ headers } = { headers: {} }] = world.seen('PutObject');
    expect(headers).toMatchObject({ 'x-amz-content-sha256': sha256(body), 'content-length': String(body.length) });
    expect(streams).toBe(1);
  });

  test.each(['a body', 'a body in parts'])(
    '%s of other bytes than were sealed makes no object, and is ours',
    async (way) => {
      const wrong = { ...item, sha256: sha256(Buffer.from('other')) };
      await expect(put(way === 'a body' ? world.streaming : inParts(), wrong)).rejects.toBeInstanceOf(HistoryDamaged);
      for (const size of [body.length - 1, body.length + 1]) {
        const off = { ...item, size };
        await expect(put(way === 'a body' ? world.streaming : inParts(), off)).rejects.toBeInstanceOf(HistoryDamaged);
      }
      expect(world.held(KEY)).toBeUndefined();
      expect(world.fake.memory.uploads.size).toBe(0);
    },
  );

  test('that has no end is broken off where what was sealed ends', async () => {
    async function* endless(): AsyncGenerator<Uint8Array> {
      for (let n = 0; n < 1_000_000; n += 1) yield body;
      throw new Error('was taken to its end');
    }
    await expect(world.streaming.put(item, endless, never)).rejects.toBeInstanceOf(HistoryDamaged);
    expect(world.held(KEY)).toBeUndefined();
  });

  test('that was damaged on the way is read and sent again', async () => {
    world.fake.plan('PutObject', 'flip', 2);
    expect(await put(world.streaming)).toMatchObject({ outcome: 'written' });
    expect(streams).toBe(3);
    expect(world.held(KEY)).toEqual(body);
  });

  test('in parts survives a line that breaks at every part', async () => {
    const long = Buffer.concat(Array.from({ length: 40 }, (_, n) => Buffer.alloc(1024 * 1024, n)));
    const of = { ...item, size: long.length, sha256: sha256(long) };
    async function* source(): AsyncGenerator<Uint8Array> {
      for (let at = 0; at < long.length; at += 500_000) yield long.subarray(at, at + 500_000);
    }
    let parts = 0;
    world.fake.onRequest = ({ operation }) => {
      if (operation === 'UploadPart' && parts++ % 2 === 0) world.fake.plan('UploadPart', 'drop');
    };
    expect(await inParts().put(of, source, never)).toMatchObject({ outcome: 'written' });
    expect(parts).toBe(6);
    expect(
      createHash('sha256')
        .update(world.held(KEY) ?? '')
        .digest('hex'),
    ).toBe(of.sha256);
  });
});

describe('a copy', () => {
  test('takes no byte, tag or metadata through or along', async () => {
    world.fake.memory.objects.set(SOURCE + KEY, {
      ...{ body, modified: new Date(), metadata: { 'x-amz-meta-ledgerhold-write': 'mark' } },
    });
    await put(world.copying);
    expect(streams).toBe(0);
    expect(world.fake.log.map(({ operation, body: sent }) => [operation, sent.length])).toEqual([
      ['HeadObject', 0],
      ['CopyObject', 0],
    ]);
    expect(world.seen('CopyObject')[0]?.headers).toMatchObject({
      ...{ 'x-amz-copy-source': `vault/${SOURCE}${KEY}`, 'x-amz-source-expected-bucket-owner': OWNER },
      ...{ 'x-amz-metadata-directive': 'REPLACE', 'x-amz-tagging-directive': 'REPLACE' },
      'x-amz-checksum-algorithm': 'CRC64NVME',
      'x-amz-copy-source-if-match': `"${createHash('md5').update(body).digest('hex')}"`,
    });
    expect(world.fake.memory.objects.get(PREFIX + KEY)?.metadata).toEqual({});
  });

  test('of what was read anyway is a body: S3 then has its digest', async () => {
    expect(await put(world.copying, { ...item, kind: 'document', bytes: body })).toMatchObject({ outcome: 'written' });
    expect(world.fake.log.map(({ operation }) => operation)).toEqual(['PutObject']);
  });

  test('is one request below 5 GiB, and parts from exactly there on', async () => {
    const small = { ...large, key: 'chain/consortium/small', size: 5 * GIB - 1 };
    world.lay(SOURCE + small.key, Buffer.from('small'), { claims: small.size });
    await put(world.copying, small);
    expect([world.seen('CopyObject').length, world.seen('UploadPartCopy').length]).toEqual([1, 0]);
    layLarge();
    await put(world.copying, large);
    expect([world.seen('CopyObject').length, world.seen('UploadPartCopy').length]).toEqual([1, 10]);
    expect(String(world.held(large.key))).toMatch(/^\[bytes=0-536870911\].*\[bytes=4831838208-5368709119\]$/);
  });

  test('survives a line that breaks at every part, and is taken back if one part is refused', async () => {
    layLarge();
    world.fake.plan('UploadPartCopy', 'drop', 10);
    expect(await put(world.copying, large)).toMatchObject({ outcome: 'written' });
    world.fake.memory.objects.delete(PREFIX + large.key);
    world.fake.plan('UploadPartCopy', { status: 403, code: 'AccessDenied' });
    expect((await refusalOf(put(world.copying, large))).fault.name).toBe('ACCESS_DENIED');
    expect(world.held(large.key)).toBeUndefined();
    expect(world.fake.memory.uploads.size).toBe(0);
  });

  test('whose parts are not copied within its time is taken back: nobody pays for what does not come through', async () => {
    layLarge();
    const hurried = s3Destination({ ...world.options, source: world.source, copyWithin: 200 }, world.clock);
    expect(await put(hurried)).toMatchObject({ outcome: 'written' });
    world.fake.plan('UploadPartCopy', 'stall', 3);
    await expect(put(hurried, large)).rejects.toMatchObject({
      ...{ name: 'MemberUnavailable', message: expect.stringContaining(large.key) },
    });
    expect(world.held(large.key)).toBeUndefined();
    expect(world.fake.memory.uploads.size).toBe(0);
    expect(await put(hurried, large)).toMatchObject({ outcome: 'written' });
  });

  test.each<[string, () => void, object]>([
    ['missing', () => void world.fake.memory.objects.delete(SOURCE + KEY), HistoryDamaged],
    ['cut', () => world.lay(SOURCE + KEY, body.subarray(1)), HistoryDamaged],
    ['another by its digest', () => world.lay(SOURCE + KEY, body, { sha256: 'AAAA' }), HistoryDamaged],
    ['not to be read', () => world.fake.plan('HeadObject', { status: 403, code: 'Forbidden' }), VaultUnavailable],
    ['another’s', () => void world.fake.memory.owners.set('vault', '666666666666'), VaultUnavailable],
    ['away', () => world.fake.plan('HeadObject', 'drop', 6), VaultUnavailable],
  ])(
    'of an object that is %s in the vault is not the member’s fault, and asks nothing of it',
    async (_, harm, error) => {
      harm();
      await expect(put(world.copying)).rejects.toBeInstanceOf(error);
      expect(world.fake.log.filter(({ key }) => key.startsWith(PREFIX))).toEqual([]);
    },
  );

  test.each<[string, () => void]>([
    ['is removed', () => void world.fake.memory.objects.delete(SOURCE + KEY)],
    ['becomes another', () => world.lay(SOURCE + KEY, Buffer.from('another file, as it was long'))],
  ])('of an object that %s between look and copy is not the member’s fault either', async (_, harm) => {
    world.fake.onRequest = ({ operation }) => {
      if (operation === 'CopyObject') harm();
    };
    await expect(put(world.copying)).rejects.toBeInstanceOf(HistoryDamaged);
    expect(world.held(KEY)).toBeUndefined();
  });
});

test('a right to the key that is missing is named as the key’s, though S3 calls it AccessDenied', async () => {
  const message = 'not authorized to perform: kms:GenerateDataKey on this resource';
  world.fake.plan('PutObject', { status: 403, code: 'AccessDenied', message });
  expect((await refusalOf(put(world.streaming))).fault.name).toBe('KEY_UNUSABLE');
});

test('without credentials nothing is tried again, and no member is to blame', async () => {
  const none = async () => Promise.reject(Object.assign(new Error('none'), { name: 'CredentialsProviderError' }));
  const client = memberClient({ region: 'eu-central-1', endpoint: world.fake.endpoint, credentials: none });
  const destination = s3Destination({ ...world.options, client }, world.clock);
  await expect(put(destination)).rejects.toMatchObject({ name: 'DeliveryRoleUnusable' });
  expect(world.waits).toEqual([]);
  client.destroy();
});

test('a success that nobody can read is as good as a lost answer', async () => {
  world.fake.plan('CopyObject', { status: 200, code: '<<<&' });
  expect(await put(world.copying)).toMatchObject({ outcome: 'written' });
});

describe('the policy of the member', () => {
  test('that stops to allow in the middle refuses, and leaves what was delivered', async () => {
    await put(world.streaming);
    world.fake.memory.allows = () => false;
    expect((await refusalOf(put(world.streaming, { ...item, key: 'chain/consortium/next' }))).fault.name).toBe(
      'ACCESS_DENIED',
    );
    expect(world.held(KEY)).toEqual(body);
  });

  test('is all that delivery needs: no read, list or delete is ever tried', async () => {
    const asked = new Set<string>();
    world.fake.memory.allows = (request) => {
      if (!addOnly(request)) asked.add(request.operation);
      return addOnly(request);
    };
    for (const [, , send] of WAYS) await send();
    for (const [, , send] of WAYS) await send();
    expect([...asked]).toEqual([]);
  });
});
