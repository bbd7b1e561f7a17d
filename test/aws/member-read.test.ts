import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { s3Destination } from '../../aws/s3-destination.ts';
import { MemberRefused, MemberUnavailable } from '../../core/delivery.ts';
import { addAndRead, addOnly, type MemberBucketWorld, memberBucketWorld, PREFIX } from '../support/member-buckets.ts';

const never = AbortSignal.any([]);
const bytes = Buffer.from('a chain file of many blocks');
let world: MemberBucketWorld;
beforeEach(async () => {
  world = await memberBucketWorld();
  world.fake.memory.allows = addAndRead(world.fake.memory);
  world.lay(`${PREFIX}chain/x`, bytes);
});
afterEach(() => world.stop());
const read = async (key = 'chain/x') => {
  const chunks = await world.streaming.read?.(key, never);
  return chunks && Buffer.concat(await Array.fromAsync(chunks));
};
const mayRead = () => world.streaming.mayRead?.(never);
const errorOf = (work: Promise<unknown> | undefined) => Promise.resolve(work).catch((error: unknown) => error);

test('what is absent, and what is closed, S3 refuses alike: whether we may read tells which', async () => {
  expect([await read(), await read('chain/absent'), await mayRead()]).toEqual([bytes, undefined, true]);
  world.fake.memory.allows = addOnly;
  expect([await read(), await read('chain/absent'), await mayRead()]).toEqual([undefined, undefined, false]);
});

test('whether we may read is learned from a canary alone, and can be asked again in the same moment', async () => {
  expect([await mayRead(), await mayRead()]).toEqual([true, true]);
  expect(new Set(world.fake.log.map(({ key }) => key.startsWith(`${PREFIX}canary/`)))).toEqual(new Set([true]));
  expect(new Set(world.fake.log.map(({ headers }) => headers['x-amz-expected-bucket-owner'])).size).toBe(1);
});

test('a canary that comes back as something else is none of ours', async () => {
  await mayRead();
  const [key = ''] = world.fake.log.map((request) => request.key);
  world.lay(key, Buffer.from('other words'));
  expect(await mayRead()).toBe(false);
});

test('a server in trouble is asked again, and a line that breaks is no word about the object', async () => {
  world.fake.plan('GetObject', { status: 503, code: 'SlowDown' }, 2);
  expect(await read()).toEqual(bytes);
  world.fake.plan('GetObject', 'cut');
  expect(await errorOf(read())).toBeInstanceOf(MemberUnavailable);
  world.fake.plan('GetObject', 'drop', 9);
  expect(await errorOf(read())).toBeInstanceOf(MemberUnavailable);
});

test('a bucket of another owner, or none, is refused and not taken for one that is closed', async () => {
  const other = s3Destination({ ...world.options, account: '222222222222' }, world.clock);
  const error = await errorOf(other.mayRead?.(never));
  expect(error).toBeInstanceOf(MemberRefused);
  expect((error as MemberRefused).fault.name).toBe('ACCESS_DENIED');
  world.fake.plan('GetObject', { status: 404, code: 'NoSuchBucket' });
  expect(((await errorOf(read())) as MemberRefused).fault.name).toBe('NO_SUCH_BUCKET');
});

test('a signal that aborts ends it with its reason', async () => {
  world.fake.plan('GetObject', 'stall');
  const reason = new Error('interrupted');
  const controller = new AbortController();
  setTimeout(() => controller.abort(reason), 20);
  await expect(world.streaming.read?.('chain/x', controller.signal)).rejects.toBe(reason);
});
