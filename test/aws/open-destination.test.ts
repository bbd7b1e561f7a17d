import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { openS3Destination } from '../../aws/open.ts';
import { sha256 } from '../../io/digest.ts';
import { OWNER } from '../fakes/s3-memory.ts';
import { type MemberBucketWorld, memberBucketWorld, PREFIX, SOURCE } from '../support/member-buckets.ts';

const bytes = Buffer.from('a file');
const item = { key: 'chain/x', size: bytes.length, sha256: sha256(bytes), kind: 'file' as const };
async function* body() {
  yield bytes;
}

let world: MemberBucketWorld;
const before = { ...process.env };
beforeEach(async () => {
  world = await memberBucketWorld();
  Object.assign(process.env, { AWS_ACCESS_KEY_ID: 'a', AWS_SECRET_ACCESS_KEY: 'b' });
});
afterEach(async () => {
  for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY']) {
    if (before[name] === undefined) delete process.env[name];
    else process.env[name] = before[name];
  }
  await world.stop();
});

const bucket = { kind: 'bucket', bucket: 'bank-a', region: 'eu-central-1', account: OWNER } as const;
const names = { network: 'acme', member: 'bank-a' };

test('a member’s bucket is opened as the registry has it, and is sent what the vault gives', async () => {
  const destination = { ...bucket, endpoint: world.fake.endpoint };
  // Never asked: a role of AWS is none of another server.
  const roleArn = 'arn:aws:iam::999999999999:role/ledgerhold-acme-delivery';
  const opened = openS3Destination({ ...names, destination, roleArn }, world.clock);
  expect([opened.url, opened.copies]).toEqual([`s3://bank-a/${PREFIX}`, false]);
  expect(world.fake.log).toEqual([]);
  expect(await opened.put(item, body, AbortSignal.any([]))).toMatchObject({ outcome: 'written' });
  expect(world.held('chain/x')).toEqual(bytes);
});

test('of a vault in a bucket of the same servers bytes are copied, of one elsewhere they are sent', async () => {
  const destination = { ...bucket, endpoint: world.fake.endpoint };
  world.lay(`${SOURCE}chain/x`, bytes);
  const source = { bucket: 'vault', prefix: 'acme', region: 'eu-central-1', account: OWNER };
  const copying = openS3Destination(
    { ...names, destination, source: { ...source, endpoint: world.fake.endpoint } },
    world.clock,
  );
  expect(copying.copies).toBe(true);
  await copying.put(item, body, AbortSignal.any([]));
  expect(world.fake.log.map(({ operation }) => operation)).toEqual(['HeadObject', 'CopyObject']);
  expect(openS3Destination({ ...names, destination, source }, world.clock).copies).toBe(false);
  expect(openS3Destination({ ...names, destination: bucket, source }, world.clock).copies).toBe(true);
});

test('of a bucket that was found sound before, its check misses what was left there then', async () => {
  const destination = { ...bucket, endpoint: world.fake.endpoint };
  expect(await openS3Destination({ ...names, destination }, world.clock).check()).toEqual([]);
  world.fake.memory.objects.clear();
  const opened = openS3Destination({ ...names, destination, wasSound: true }, world.clock);
  expect(await opened.check()).toMatchObject([{ name: 'EMPTIED' }]);
});
