import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { memberClient } from '../../aws/s3-client.ts';
import { s3Destination } from '../../aws/s3-destination.ts';
import { OWNER, type S3Request } from '../fakes/s3-memory.ts';
import { addOnly, type MemberBucketWorld, memberBucketWorld, NOW, PREFIX } from '../support/member-buckets.ts';

let world: MemberBucketWorld;
beforeEach(async () => {
  world = await memberBucketWorld();
});
afterEach(() => world.stop());

const CANARY = `canary/${NOW.toISOString()}.txt`;
const FIRST = ['canary/first-1.txt', 'canary/first-2.txt', 'canary/first-3.txt'];
const check = (more = {}) => s3Destination({ ...world.options, ...more }, world.clock).check();
const empty = () => world.fake.memory.objects.clear();
const names = async (more = {}) => (await check(more)).map(({ name }) => name);
/** The member's policy, with one hole. */
const allowing = (hole: (request: S3Request) => boolean) => {
  world.fake.memory.allows = (request) => addOnly(request) || hole(request);
};

describe('the check of a member’s bucket', () => {
  test('finds nothing in one that only lets us add, and leaves a canary of the instant', async () => {
    expect(await check()).toEqual([]);
    expect(String(world.held(CANARY))).toContain(NOW.toISOString());
    expect([...world.fake.memory.objects.keys()]).toEqual([CANARY, ...FIRST].map((key) => PREFIX + key));
    expect(world.fake.memory.uploads.size).toBe(0);
  });

  test('finds nothing in one that locks what comes, by default, and hides nothing there', async () => {
    world.fake.memory.bucket.locksByDefault = true;
    expect(await check()).toEqual([]);
    world.fake.memory.allows = () => true;
    expect(await names()).toContain('OVERWRITABLE');
    expect(await check()).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ name: 'OVERWRITABLE', message: expect.not.stringContaining('InvalidRequest') }),
      ]),
    );
  });

  test.each<[string, (request: S3Request) => boolean, string]>([
    ['overwrite', ({ operation, key }) => operation === 'PutObject' && key.startsWith(PREFIX), 'OVERWRITABLE'],
    ['delete', ({ operation }) => operation === 'DeleteObject', 'DELETABLE'],
    ['add anywhere', ({ operation }) => operation === 'CreateMultipartUpload', 'WIDE_OPEN'],
    [
      'add wherever a key begins like its name',
      ({ operation, key }) => operation === 'CreateMultipartUpload' && key.startsWith(PREFIX.slice(0, -1)),
      'WIDE_OPEN',
    ],
  ])('names one that lets us %s', async (_, hole, name) => {
    allowing(hole);
    const faults = await check();
    expect(faults).toMatchObject([{ name, remedy: expect.stringContaining('members policy') }]);
    expect([...world.fake.memory.objects.keys()].filter((key) => !key.startsWith(PREFIX))).toEqual([]);
  });

  test('names everything that is wrong at once', async () => {
    world.fake.memory.allows = () => true;
    expect(await names()).toEqual(['OVERWRITABLE', 'DELETABLE', 'WIDE_OPEN']);
    // Aborted, where we may.
    expect(world.fake.memory.uploads.size).toBe(0);
  });

  test.each(['PutObject', 'DeleteObject', 'CreateMultipartUpload'] as const)(
    'ends when it is told to instead of trying once more: at %s',
    async (operation) => {
      const end = new AbortController();
      const reason = new Error('Ctrl-C');
      const pace = { random: () => 0, wait: async () => end.abort(reason) };
      world.fake.plan(operation, { status: 503, code: 'SlowDown' }, 6);
      const checking = s3Destination({ ...world.options, pace }, world.clock).check(end.signal);
      await expect(checking).rejects.toBe(reason);
      expect(world.fake.memory.objects.size).toBe(operation === 'PutObject' ? 0 : 1);
    },
  );

  test('takes no other answer than 403 for a refusal', async () => {
    world.fake.plan('DeleteObject', { status: 405, code: 'MethodNotAllowed' });
    expect(await check()).toMatchObject([{ name: 'DELETABLE', message: expect.stringContaining('HTTP 405') }]);
  });

  test.each<[string, () => void, string]>([
    ['of another account', () => void world.fake.memory.owners.set('bank-a', '666666666666'), 'ACCESS_DENIED'],
    ['without our policy', () => (world.fake.memory.allows = () => false), 'ACCESS_DENIED'],
    [
      'of another Region',
      () => world.fake.plan('PutObject', { status: 301, code: 'PermanentRedirect' }),
      'ANOTHER_REGION',
    ],
    ['that is gone', () => world.fake.plan('PutObject', { status: 404, code: 'NoSuchBucket' }), 'NO_SUCH_BUCKET'],
    [
      'that encrypts otherwise',
      () => (world.fake.memory.encrypts = () => ({ 'x-amz-server-side-encryption': 'aws:kms' })),
      'ANOTHER_KEY',
    ],
    ['that encrypts not at all', () => (world.fake.memory.encrypts = () => ({})), 'ANOTHER_KEY'],
  ])('names one %s', async (_, harm, name) => {
    harm();
    expect(await names()).toEqual([name]);
  });

  test.each([
    [{ bucket: 'bank-222222222222-eu-central-1-an' }, 'NAME_LIES'],
    [{ bucket: 'bank.a' }, 'BAD_NAME'],
    [{ bucket: '169.254.169.254' }, 'BAD_NAME'],
    [{ kmsKey: 'arn:aws:kms:eu-central-1:999999999999:key/ours' }, 'ANOTHER_KEY'],
  ])('of %j makes no call', async (more, name) => {
    expect(await names(more)).toEqual([name]);
    expect(world.fake.log).toEqual([]);
  });

  test('accepts a silent server about encryption only on an operator’s word', async () => {
    world.fake.memory.encrypts = () => ({});
    expect(await names({ otherServer: true })).toEqual([]);
    world.fake.memory.encrypts = () => ({ 'x-amz-server-side-encryption': 'aws:kms' });
    world.fake.memory.objects.clear();
    expect(await names({ otherServer: true })).toEqual(['ANOTHER_KEY']);
  });

  test.each(['PutObject', 'DeleteObject', 'CreateMultipartUpload'] as const)(
    'of a server that is away (%s) has found nothing out',
    async (operation) => {
      world.fake.plan(operation, { status: 503, code: 'SlowDown' }, 6);
      await expect(check()).rejects.toMatchObject({ name: 'MemberUnavailable' });
    },
  );

  test('with its own credentials refused blames no member', async () => {
    world.fake.plan('DeleteObject', { status: 403, code: 'ExpiredToken' });
    await expect(check()).rejects.toMatchObject({ name: 'DeliveryRoleUnusable' });
  });

  test('names the owner with every call', async () => {
    await check();
    expect(world.fake.log.map(({ headers }) => headers['x-amz-expected-bucket-owner'])).toEqual(
      world.fake.log.map(() => OWNER),
    );
    expect(world.fake.log.map(({ operation }) => operation)).toEqual([
      ...['PutObject', 'PutObject', 'DeleteObject', 'CreateMultipartUpload'],
      ...FIRST.map(() => 'PutObject'),
    ]);
  });
});

describe('a host that has no address, as of a Region that there is not', () => {
  const unresolved = (code: string) => {
    const credentials = { accessKeyId: 'a', secretAccessKey: 'b' };
    const client = memberClient({ region: 'eu-nowhere-9', credentials });
    const error = Object.assign(new Error(`getaddrinfo ${code} bank-a.s3.eu-nowhere-9.amazonaws.com`), { code });
    client.config.requestHandler = { handle: () => Promise.reject(error) } as never;
    return { client, region: 'eu-nowhere-9' };
  };

  test('is named to a member whose bucket was never reached, with what it corrects', async () => {
    expect(await check(unresolved('ENOTFOUND'))).toMatchObject([
      {
        name: 'NOT_REACHED',
        message: expect.stringContaining('eu-nowhere-9'),
        remedy: expect.stringContaining('Region'),
      },
    ]);
  });

  test('is passing trouble where the bucket was reached before, or where no name server answers', async () => {
    const away = { name: 'MemberUnavailable' };
    await expect(check({ ...unresolved('ENOTFOUND'), wasSound: true })).rejects.toMatchObject(away);
    await expect(check(unresolved('EAI_AGAIN'))).rejects.toMatchObject(away);
  });
});

describe('a bucket that was found sound before', () => {
  beforeEach(async () => void (await check()));
  const again = () => check({ wasSound: true });

  test('is so again while what the first check left is there', async () => {
    expect(await again()).toEqual([]);
    expect(await again()).toEqual([]);
  });

  test('and that was emptied since, or made anew, is named: what was delivered is not there', async () => {
    empty();
    expect(await again()).toMatchObject([{ name: 'EMPTIED', remedy: expect.stringContaining('again') }]);
  });

  test('is told with all else that is wrong', async () => {
    empty();
    allowing(({ operation }) => operation === 'DeleteObject');
    expect((await again()).map(({ name }) => name)).toEqual(['EMPTIED', 'DELETABLE']);
  });

  test.each(['the answer is lost', 'the server is away before it ends', 'what it found is lost'])(
    'and was emptied is named also by the check after one where %s',
    async (how) => {
      empty();
      const first = PREFIX + (FIRST[0] ?? '');
      if (how === 'the answer is lost') {
        world.fake.onRequest = ({ key }) => {
          if (key === first && !world.fake.memory.objects.has(first)) world.fake.plan('PutObject', 'drop after');
        };
      }
      if (how === 'the server is away before it ends') world.fake.plan('DeleteObject', 'drop', 6);
      await again().catch(() => {});
      expect((await again()).map(({ name }) => name)).toEqual(['EMPTIED']);
    },
  );

  test('is not taken for emptied by a check that is the first of its registration', async () => {
    empty();
    expect(await check()).toEqual([]);
  });
});
