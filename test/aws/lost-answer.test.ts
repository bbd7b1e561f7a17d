import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { s3Destination } from '../../aws/s3-destination.ts';
import { type Deliverable, type Destination, MemberUnavailable } from '../../core/delivery.ts';
import { sha256 } from '../../io/digest.ts';
import { type MemberBucketWorld, memberBucketWorld, PREFIX, SOURCE } from '../support/member-buckets.ts';

const body = Buffer.from('a chain file of many blocks');
const KEY = 'chain/consortium/slot-1-block-0-9.rlp';
const item: Deliverable = { key: KEY, size: body.length, sha256: sha256(body), kind: 'file' };

let world: MemberBucketWorld;
beforeEach(async () => {
  world = await memberBucketWorld();
  world.lay(SOURCE + KEY, body);
});
afterEach(() => world.stop());

async function* bytes(): AsyncGenerator<Uint8Array> {
  for (const byte of body) yield Buffer.of(byte);
}
const put = (to: Destination) => to.put(item, bytes, AbortSignal.any([]));
const inParts = () => s3Destination({ ...world.options, partsFrom: 5 }, world.clock);

describe('an answer that is lost after the object was made', () => {
  test.each([
    ['a body', 'PutObject', () => put(world.streaming)],
    ['a copy', 'CopyObject', () => put(world.copying)],
  ] as const)('of %s leaves no more known than that something is there', async (_, operation, send) => {
    world.fake.plan(operation, 'drop after');
    expect(await send()).toEqual({ outcome: 'there' });
    expect(world.held(KEY)).toEqual(body);
  });

  test('of an upload is known to be ours, by an upload that is gone', async () => {
    // S3 may look at the key first, and say that it is taken.
    world.fake.plan('CompleteMultipartUpload', 'drop after');
    world.fake.plan('CompleteMultipartUpload', { status: 412, code: 'PreconditionFailed' });
    expect(await put(inParts())).toEqual({ outcome: 'written', encryption: 'AES256' });
  });

  test('but by somebody else who was first, by an upload that is still there', async () => {
    world.fake.plan('CompleteMultipartUpload', 'drop');
    world.fake.onRequest = ({ operation }) => {
      if (operation === 'CompleteMultipartUpload') world.lay(PREFIX + KEY, Buffer.from('theirs'));
    };
    expect(await put(inParts())).toEqual({ outcome: 'there' });
    expect(world.held(KEY)).toEqual(Buffer.from('theirs'));
    expect(world.fake.memory.uploads.size).toBe(0);
  });

  test('is told from a key that was taken before the first try, whatever became of the upload', async () => {
    world.fake.plan('CompleteMultipartUpload', { status: 412, code: 'PreconditionFailed' });
    world.fake.plan('AbortMultipartUpload', { status: 404, code: 'NoSuchUpload' });
    expect(await put(inParts())).toEqual({ outcome: 'there' });
  });

  test('in half is as good as lost', async () => {
    world.fake.plan('CopyObject', 'cut');
    expect(await put(world.copying)).toEqual({ outcome: 'there' });
  });

  test('is not settled by an upload that is gone when the answer to its end was lost, too', async () => {
    world.fake.plan('CompleteMultipartUpload', 'drop after');
    world.fake.plan('CompleteMultipartUpload', { status: 412, code: 'PreconditionFailed' });
    world.fake.plan('AbortMultipartUpload', 'drop after');
    expect(await put(inParts())).toEqual({ outcome: 'there' });
  });

  test('of an upload that S3 then does not know is left to the next delivery', async () => {
    world.fake.plan('CompleteMultipartUpload', 'drop after');
    await expect(put(inParts())).rejects.toBeInstanceOf(MemberUnavailable);
    expect(await put(inParts())).toEqual({ outcome: 'there' });
  });
});
