import { createHash } from 'node:crypto';
import type { S3Client } from '@aws-sdk/client-s3';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { s3Client } from '../../aws/s3-client.ts';
import { s3LargeCopy } from '../../aws/s3-large-copy.ts';
import { type S3VaultOptions, s3Vault } from '../../aws/s3-vault.ts';
import { KeyTaken, NoSuchKey, VaultUnavailable } from '../../core/vault.ts';
import { type FaultyS3, startFaultyS3 } from '../fakes/faulty-s3.ts';
import { type Operation, OWNER } from '../fakes/s3-memory.ts';

const PART = 64 * 1024;
/** Three parts and one byte. */
const body = Buffer.from(Array.from({ length: 3 * PART + 1 }, (_, n) => n % 251));
const digest = createHash('sha256').update(body).digest('hex');

let fake: FaultyS3;
let client: S3Client;
let from: S3VaultOptions;
let to: S3VaultOptions;

beforeEach(async () => {
  fake = await startFaultyS3();
  const credentials = { accessKeyId: 'a', secretAccessKey: 'b' };
  client = s3Client({ region: 'us-east-1', endpoint: fake.endpoint, credentials });
  const common = { client, account: OWNER, partSize: () => PART };
  from = { ...common, bucket: 'first', prefix: 'first' };
  to = { ...common, bucket: 'second', prefix: 'second' };
  await s3Vault(from).writeOnce('a/b+c', chunks());
  fake.log.length = 0;
});
afterEach(async () => {
  client.destroy();
  await fake.stop();
});

async function* chunks(): AsyncGenerator<Uint8Array> {
  yield body;
}

const never = new AbortController().signal;
const large = () => s3LargeCopy(from, to, PART);
const stored = (): Buffer | undefined => fake.memory.objects.get('second/a/b+c')?.body;
const seen = (operation: Operation) => fake.log.filter((request) => request.operation === operation);

describe('a large copy', () => {
  test('is the same object, is begun at a size, and sends none of its bytes', async () => {
    expect(large().atLeast).toBe(PART);
    expect(await large().copy('a/b+c', digest, never)).toBe(body.length);
    expect(stored()).toEqual(body);
    expect(seen('UploadPartCopy').map(({ headers }) => headers['x-amz-copy-source-range'])).toEqual([
      ...[0, 1, 2].map((part) => `bytes=${part * PART}-${(part + 1) * PART - 1}`),
      `bytes=${3 * PART}-${3 * PART}`,
    ]);
    expect(
      [...seen('PutObject'), ...seen('UploadPart'), ...seen('UploadPartCopy')].map(({ body: sent }) => sent.length),
    )
      // Requests to copy, without a body.
      .toEqual([0, 0, 0, 0]);
  });

  test('names the owners of both buckets, the object as it was looked at, and a free key', async () => {
    await large().copy('a/b+c', digest, never);
    for (const { headers } of seen('UploadPartCopy')) {
      expect(headers).toMatchObject({
        'x-amz-copy-source': 'first/first/a/b%2Bc',
        'x-amz-source-expected-bucket-owner': OWNER,
        'x-amz-expected-bucket-owner': OWNER,
        'x-amz-copy-source-if-match': `"${createHash('md5').update(body).digest('hex')}"`,
      });
    }
    expect(seen('CompleteMultipartUpload').map(({ headers }) => headers['if-none-match'])).toEqual(['*']);
  });

  test('in one part names no range', async () => {
    await s3LargeCopy(from, to, body.length).copy('a/b+c', digest, never);
    expect(seen('UploadPartCopy').map(({ headers }) => headers['x-amz-copy-source-range'])).toEqual([undefined]);
    expect(stored()).toEqual(body);
  });

  test('of other bytes than those cited is not made, and leaves nothing', async () => {
    expect(await large().copy('a/b+c', '0'.repeat(64), never)).toBeUndefined();
    expect(stored()).toBeUndefined();
    expect(fake.memory.uploads.size).toBe(0);
  });

  test('of an object that is not there says so', async () => {
    await expect(large().copy('none', undefined, never)).rejects.toBeInstanceOf(NoSuchKey);
  });

  test('of an object that retention removes meanwhile says so, and leaves nothing', async () => {
    fake.onRequest = ({ operation }) => {
      if (operation === 'UploadPartCopy') fake.memory.objects.delete('first/a/b+c');
    };
    await expect(large().copy('a/b+c', digest, never)).rejects.toBeInstanceOf(NoSuchKey);
    expect(fake.memory.uploads.size).toBe(0);
  });

  test('of an object that is replaced while it is copied is not made', async () => {
    const other = Buffer.from(body);
    other[0] = 255;
    fake.onRequest = ({ operation }) => {
      const found = fake.memory.objects.get('first/a/b+c');
      if (operation === 'CreateMultipartUpload' && found)
        fake.memory.objects.set('first/a/b+c', { ...found, body: other });
    };
    await expect(large().copy('a/b+c', undefined, never)).rejects.toBeInstanceOf(VaultUnavailable);
    expect(stored()).toBeUndefined();
  });

  test('that S3 made of other bytes than were read is refused by their checksum', async () => {
    fake.onRequest = ({ operation }) => {
      if (operation !== 'CompleteMultipartUpload') return;
      for (const { parts } of fake.memory.uploads.values()) parts.set(1, Buffer.alloc(PART));
    };
    await expect(large().copy('a/b+c', digest, never)).rejects.toBeInstanceOf(VaultUnavailable);
    expect(stored()).toBeUndefined();
  });

  test('under a key that is taken leaves what was there', async () => {
    await s3Vault(to).putOnce('a/b+c', Buffer.from('there'));
    await expect(large().copy('a/b+c', digest, never)).rejects.toBeInstanceOf(KeyTaken);
    expect(stored()).toEqual(Buffer.from('there'));
  });

  test('that loses a race for the key leaves what was there', async () => {
    fake.onRequest = ({ operation }) => {
      if (operation !== 'CompleteMultipartUpload') return;
      fake.memory.objects.set('second/a/b+c', { body: Buffer.from('theirs'), metadata: {}, modified: new Date() });
    };
    await expect(large().copy('a/b+c', digest, never)).rejects.toBeInstanceOf(KeyTaken);
    expect(stored()).toEqual(Buffer.from('theirs'));
    expect(fake.memory.uploads.size).toBe(0);
  });

  test('whose last answer is lost is a success', async () => {
    fake.plan('CompleteMultipartUpload', 'drop after');
    expect(await large().copy('a/b+c', digest, never)).toBe(body.length);
  });

  test('ends with the reason of its signal, and leaves nothing', async () => {
    const ending = new AbortController();
    fake.onRequest = ({ operation }) => {
      if (operation === 'UploadPartCopy') ending.abort(new Error('interrupted'));
    };
    await expect(large().copy('a/b+c', digest, ending.signal)).rejects.toThrow('interrupted');
    expect(fake.memory.uploads.size).toBe(0);
  });
});
