import { createHash } from 'node:crypto';
import { S3Client } from '@aws-sdk/client-s3';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { S3_LIMITS, s3Client } from '../../aws/s3-client.ts';
import { type S3VaultOptions, s3Janitor, s3Vault } from '../../aws/s3-vault.ts';
import { KeyTaken, VaultUnavailable } from '../../core/vault.ts';
import { type FaultyS3, startFaultyS3 } from '../fakes/faulty-s3.ts';
import { type Operation, OWNER } from '../fakes/s3-memory.ts';

/** Much less than S3 takes, which the fake does not mind. */
const PART = 256 * 1024;
const RETRIES = S3_LIMITS.maxAttempts;
const hello = Buffer.from('hello');

let fake: FaultyS3;
let client: S3Client;
let options: S3VaultOptions;

beforeEach(async () => {
  fake = await startFaultyS3();
  client = s3Client(connection());
  options = { client, bucket: 'vault', prefix: 'acme', account: OWNER, partSize: () => PART };
});

const connection = () => ({
  region: 'us-east-1',
  endpoint: fake.endpoint,
  credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
});

afterEach(async () => {
  client.destroy();
  await fake.stop();
});

async function* large(parts = 3): AsyncGenerator<Uint8Array> {
  for (let part = 0; part < parts; part += 1) yield Buffer.alloc(PART, part);
}

async function all(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of source) chunks.push(chunk);
  return Buffer.concat(chunks);
}

const seen = (operation: Operation) => fake.log.filter((request) => request.operation === operation);
const stored = (key: string): Buffer | undefined => fake.memory.objects.get(`acme/${key}`)?.body;

/** What a person would read of a rejection. */
async function refusalOf(work: Promise<unknown>): Promise<VaultUnavailable> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(VaultUnavailable);
  return error as VaultUnavailable;
}

describe('a write whose answer is lost', () => {
  test('after it took effect is a success, though the retry finds the key taken', async () => {
    fake.plan('PutObject', 'drop after');
    expect(await s3Vault(options).putOnce('x', hello)).toBe(true);
    expect(seen('PutObject')).toHaveLength(2);
  });

  test('before it took effect, while somebody else wrote the same bytes, has not won', async () => {
    fake.plan('PutObject', 'drop');
    fake.onRequest = ({ operation, key }) => {
      if (operation !== 'PutObject' || fake.memory.objects.has(key)) return;
      fake.memory.objects.set(key, { body: hello, metadata: {}, modified: new Date() });
    };
    expect(await s3Vault(options).putOnce('x', hello)).toBe(false);
    expect(seen('HeadObject')).toHaveLength(1);
  });

  test('to the very end is settled by what lies there', async () => {
    fake.plan('PutObject', 'drop after');
    fake.plan('PutObject', 'drop', RETRIES - 1);
    expect(await s3Vault(options).putOnce('x', hello)).toBe(true);

    fake.plan('PutObject', 'drop', RETRIES);
    expect((await refusalOf(s3Vault(options).putOnce('y', hello))).remedy).toContain('network');
    expect(stored('y')).toBeUndefined();
  });

  test('while a large object is completed is a success, though the upload is gone', async () => {
    fake.plan('CompleteMultipartUpload', 'drop after');
    const written = await s3Vault(options).writeOnce('big', large());
    expect(written).toMatchObject({ size: 3 * PART });
    expect(sha256(stored('big'))).toBe(written.sha256);
    expect(seen('CompleteMultipartUpload')).toHaveLength(2);
    expect(seen('AbortMultipartUpload')).toHaveLength(0);
  });

  test('and never took effect leaves neither a large object nor its parts', async () => {
    fake.plan('CompleteMultipartUpload', 'drop', RETRIES);
    await refusalOf(s3Vault(options).writeOnce('big', large()));
    expect(fake.memory.objects.size).toBe(0);
    expect(fake.memory.uploads.size).toBe(0);
  });

  test('of which we know nothing more, since reading is refused, is not called a success', async () => {
    fake.plan('PutObject', 'drop after');
    fake.plan('HeadObject', { status: 403, code: 'AccessDenied' });
    await refusalOf(s3Vault(options).putOnce('x', hello));
  });
});

const sha256 = (bytes: Buffer | undefined): string =>
  createHash('sha256')
    .update(bytes ?? '')
    .digest('hex');

describe('a server that is busy', () => {
  test('is asked again', async () => {
    fake.plan('PutObject', { status: 503, code: 'ServiceUnavailable' }, 2);
    fake.plan('UploadPart', { status: 500, code: 'InternalError' }, 2);
    expect(await s3Vault(options).putOnce('x', hello)).toBe(true);
    expect((await s3Vault(options).writeOnce('big', large())).size).toBe(3 * PART);
  });

  test('for too long is unavailable, and nothing is stored', async () => {
    fake.plan('PutObject', { status: 503, code: 'ServiceUnavailable' }, RETRIES);
    expect((await refusalOf(s3Vault(options).putOnce('x', hello))).remedy).toContain('later');
    fake.plan('UploadPart', { status: 503, code: 'ServiceUnavailable' }, 3 * RETRIES);
    await refusalOf(s3Vault(options).writeOnce('big', large()));
    expect(fake.memory.objects.size + fake.memory.uploads.size).toBe(0);
  });

  test('with a race for the key (409, which the SDK does not retry) is asked again', async () => {
    const race = { status: 409, code: 'ConditionalRequestConflict' };
    fake.plan('PutObject', race, 2);
    fake.plan('CompleteMultipartUpload', race);
    expect(await s3Vault(options).putOnce('x', hello)).toBe(true);
    expect((await s3Vault(options).writeOnce('big', large())).size).toBe(3 * PART);
    expect(await s3Vault(options).putOnce('x', hello)).toBe(false);
  });

  test('with a race for the key that does not end is unavailable', async () => {
    fake.plan('PutObject', { status: 409, code: 'ConditionalRequestConflict' }, 10);
    await refusalOf(s3Vault(options).putOnce('x', hello));
    expect(seen('PutObject')).toHaveLength(5);
  });
});

describe('bytes damaged on the way', () => {
  test('to S3 are sent again', async () => {
    fake.plan('PutObject', 'flip');
    fake.plan('UploadPart', 'flip', 2);
    expect(await s3Vault(options).putOnce('x', hello)).toBe(true);
    const written = await s3Vault(options).writeOnce('big', large());
    expect([stored('x'), sha256(stored('big'))]).toEqual([hello, written.sha256]);
  });

  test('to S3 each time are refused by S3, and nothing is stored', async () => {
    fake.plan('PutObject', 'flip', 9);
    fake.plan('UploadPart', 'flip', 99);
    const writes = [s3Vault(options).putOnce('x', hello), s3Vault(options).writeOnce('big', large())];
    for (const refusal of await Promise.all(writes.map(refusalOf))) expect(refusal.remedy).toContain('memory');
    expect(fake.memory.objects.size + fake.memory.uploads.size).toBe(0);
  });

  test('from S3 are read again if nobody has seen them', async () => {
    await s3Vault(options).putOnce('x', hello);
    fake.plan('GetObject', 'flip', 2);
    expect(await s3Vault(options).get('x')).toEqual(hello);
    fake.plan('GetObject', 'flip', 3);
    expect((await refusalOf(s3Vault(options).get('x'))).message).toContain('did not arrive whole');
  });

  test('from S3, once given on, are an error of the line and not of what is stored', async () => {
    const { sha256: digest } = await s3Vault(options).writeOnce('big', large());
    fake.plan('GetObject', 'flip');
    expect((await refusalOf(all(s3Vault(options).read('big')))).message).toContain('did not arrive whole');
    expect(sha256(await all(s3Vault(options).read('big')))).toBe(digest);
  });
});

describe('a stream that breaks', () => {
  test('is taken up where it broke', async () => {
    const vault = s3Vault(options);
    const { sha256: digest } = await vault.writeOnce('big', large());
    fake.plan('GetObject', 'cut', 3);
    expect(sha256(await all(vault.read('big')))).toBe(digest);
    fake.plan('GetObject', 'cut', 3);
    expect(await all(vault.read('big', { start: 10, end: PART + 9 }))).toHaveLength(PART);
    expect(
      seen('GetObject')
        .map(({ headers }) => headers['range'])
        .slice(1, 4),
    ).not.toContain(undefined);
  });

  test('again and again at the same byte is unavailable, never a short object', async () => {
    await s3Vault(options).putOnce('x', Buffer.from('1'));
    fake.plan('GetObject', 'cut', 9);
    expect((await refusalOf(s3Vault(options).get('x'))).message).toContain('did not arrive whole');
  });
});

describe('a large object', () => {
  test('goes up with at most two parts on their way', async () => {
    let most = 0;
    let now = 0;
    fake.onRequest = async ({ operation }) => {
      if (operation !== 'UploadPart') return;
      now += 1;
      most = Math.max(most, now);
      await new Promise((resolve) => setTimeout(resolve, 20));
      now -= 1;
    };
    await s3Vault(options).writeOnce('big', large(6));
    expect(most).toBe(2);
  });

  test('is given up at once when its signal aborts while a part is on its way', async () => {
    fake.plan('UploadPart', 'stall', 2);
    const controller = new AbortController();
    fake.onRequest = ({ operation }) => {
      if (operation === 'UploadPart') controller.abort(new Error('interrupted'));
    };
    const writing = s3Vault(options).writeOnce('big', large(), controller.signal);
    await expect(writing).rejects.toThrow('interrupted');
    expect(fake.memory.uploads.size).toBe(0);
  });

  test('stops taking from its source when a part is refused', async () => {
    fake.plan('UploadPart', { status: 403, code: 'AccessDenied' });
    async function* endless(): AsyncGenerator<Uint8Array> {
      yield* large(1);
      await new Promise(() => {});
    }
    expect((await refusalOf(s3Vault(options).writeOnce('big', endless()))).remedy).toContain('s3:PutObject');
  });

  test('to a key known to be taken is not sent at all', async () => {
    await s3Vault(options).putOnce('big', hello);
    await expect(s3Vault(options).writeOnce('big', large())).rejects.toBeInstanceOf(KeyTaken);
    expect(seen('CreateMultipartUpload')).toHaveLength(0);
  });

  test('left half-sent by a writer that died is swept when it is old enough', async () => {
    fake.plan('CompleteMultipartUpload', 'drop', RETRIES);
    fake.plan('AbortMultipartUpload', { status: 403, code: 'AccessDenied' });
    await refusalOf(s3Vault(options).writeOnce('big', large()));
    expect(fake.memory.uploads.size).toBe(1);
    expect(await s3Janitor(options).sweepUnfinished(new Date(Date.now() - 60_000))).toBe(0);
    expect(await s3Janitor(options).sweepUnfinished(new Date(Date.now() + 60_000))).toBe(1);
    expect(fake.memory.uploads.size).toBe(0);
  });
});

describe('a refusal', () => {
  test.each([
    [404, 'NoSuchBucket', 'Create the bucket'],
    [403, 'AccessDenied', `account ${OWNER} owns it`],
    [403, 'InvalidAccessKeyId', 'credentials'],
    [403, 'RequestTimeTooSkewed', 'clock'],
    [301, 'PermanentRedirect', 'region'],
    [400, 'AuthorizationHeaderMalformed', 'region'],
  ])(
    'of HTTP %i %s is never "absent", and says what to do',
    async (status, code, remedy) => {
      for (const operation of ['GetObject', 'ListObjectsV2', 'PutObject'] as const)
        fake.plan(operation, { status, code }, 9);
      const vault = s3Vault(options);
      for (const work of [() => vault.get('x'), () => vault.stat('x'), () => vault.putOnce('x', hello)]) {
        const refusal = await refusalOf(work());
        expect(refusal.remedy).toContain(remedy);
        expect(refusal.message).toContain('s3://vault/acme/');
      }
    },
    20_000,
  );

  test('to serve more through all retries asks for patience', async () => {
    client.destroy();
    client = new S3Client({ ...connection(), forcePathStyle: true, maxAttempts: 1 });
    fake.plan('PutObject', { status: 503, code: 'SlowDown' });
    expect((await refusalOf(s3Vault({ ...options, client }).putOnce('x', hello))).remedy).toContain('slow down');
  });

  test('because the bucket belongs to somebody else stops every call', async () => {
    const foreign = { ...options, account: '222222222222' };
    const vault = s3Vault(foreign);
    const listing = async () => {
      for await (const { key } of vault.list('')) expect(key).toBeUndefined();
    };
    fake.memory.objects.set('acme/x', { body: hello, metadata: {}, modified: new Date() });
    for (const work of [() => vault.get('x'), () => vault.stat('x'), () => vault.putOnce('y', hello), listing]) {
      expect((await refusalOf(work())).remedy).toContain('222222222222');
    }
    await refusalOf(vault.writeOnce('big', large()));
    await refusalOf(s3Janitor(foreign).remove('x'));
    await refusalOf(s3Janitor(foreign).sweepUnfinished(new Date()));
    expect([...fake.memory.objects.keys()]).toEqual(['acme/x']);
  });

  test('by a server that is not there names the network', async () => {
    await fake.stop();
    const refusal = await refusalOf(s3Vault(options).get('x'));
    expect(refusal.message).toContain('ECONNREFUSED');
    expect(refusal.remedy).toContain('network');
    fake = await startFaultyS3();
  });
});

describe('requests', () => {
  test('all name the account that must own the bucket', async () => {
    const vault = s3Vault(options);
    fake.plan('PutObject', 'drop after');
    await vault.putOnce('x', hello);
    await vault.writeOnce('big', large());
    await vault.get('x');
    for await (const { key } of vault.list('')) expect(key).not.toBe('');
    fake.plan('UploadPart', { status: 403, code: 'AccessDenied' });
    await refusalOf(vault.writeOnce('other', large()));
    await s3Janitor(options).remove('x');
    await s3Janitor(options).sweepUnfinished(new Date());
    expect(new Set(fake.log.map(({ operation }) => operation)).size).toBe(10);
    expect(new Set(fake.log.map(({ headers }) => headers['x-amz-expected-bucket-owner']))).toEqual(new Set([OWNER]));
  });

  test('that begin an object carry the lock of its class, its key and its condition', async () => {
    const retainUntil = new Date('2030-01-01T00:00:00Z');
    const kmsKey = 'arn:aws:kms:eu-central-1:111111111111:key/1';
    const lockFor = (key: string) =>
      key.startsWith('manifests/') ? ({ mode: 'GOVERNANCE', retainUntil } as const) : undefined;
    const vault = s3Vault({ ...options, kmsKey, lockFor });
    await vault.putOnce('manifests/1', hello);
    await vault.putOnce('leases/1', hello);
    await vault.writeOnce('manifests/big', large());
    const [locked, free] = seen('PutObject').map(({ headers }) => headers);
    const [begun] = seen('CreateMultipartUpload').map(({ headers }) => headers);
    for (const headers of [locked, begun]) {
      expect(headers).toMatchObject({
        'x-amz-object-lock-mode': 'GOVERNANCE',
        'x-amz-object-lock-retain-until-date': '2030-01-01T00:00:00Z',
        'x-amz-server-side-encryption': 'aws:kms',
        'x-amz-server-side-encryption-aws-kms-key-id': kmsKey,
      });
    }
    expect(free).not.toHaveProperty('x-amz-object-lock-mode');
    const conditions = [...seen('PutObject'), ...seen('CompleteMultipartUpload')].map(
      ({ headers }) => headers['if-none-match'],
    );
    expect(new Set(conditions)).toEqual(new Set(['*']));
  });
});
