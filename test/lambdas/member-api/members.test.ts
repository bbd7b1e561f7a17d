import { describe, expect, test } from '@jest/globals';
import { actOn, memberVersions } from '../../../vault/members.ts';
import { apiWorld, BANK_A, BANK_B, OPERATOR, registryOf, SOUND, STRANGER } from '../../support/api-world.ts';

const BUCKET = { bucket: 'bank-a-ledgers', region: 'eu-west-1' };
const put = '/members/bank-a/destination';
const one = '/members/bank-a';

describe('a member that registers itself', () => {
  test('names a bucket, and the account is the one that AWS attests; it gets nothing before it says so', async () => {
    const world = apiWorld();
    const { status, json } = await world.call(BANK_A, 'PUT', put, BUCKET);
    expect({ status, json }).toMatchObject({
      status: 200,
      json: {
        destination: { kind: 'bucket', account: '222222222222', ...BUCKET },
        ...{ state: 'invited', environmentBackupTarget: false, checkWanted: true },
        by: 'arn:aws:sts::222222222222:assumed-role/ledger-ops/ann',
      },
    });
    expect((await world.call(BANK_A, 'GET', one)).json).toMatchObject({ ...json, totals: { files: 0 }, behind: [] });
  });

  test('says again what it has said, and nothing is registered anew', async () => {
    const world = apiWorld();
    const first = await world.call(BANK_A, 'PUT', put, BUCKET);
    expect(await world.call(BANK_A, 'PUT', put, BUCKET)).toEqual(first);
    expect((await world.call(BANK_A, 'PUT', put, { ...BUCKET, region: 'eu-west-2' })).json.n).toBe(2);
  });

  test('is registered anew where it asks to be filled again, so often a day as any other', async () => {
    const world = apiWorld();
    const { json } = await world.call(BANK_A, 'PUT', put, { ...BUCKET, again: false });
    await actOn(registryOf(world), 'bank-a', SOUND);
    const again = () => world.call(BANK_A, 'PUT', put, { ...BUCKET, again: true });
    expect((await again()).json).toMatchObject({ n: 3, destination: json.destination, check: null, checkWanted: true });
    expect((await memberVersions(world.vault, 'bank-a')).map(({ value }) => value.since)).toEqual([1, 1, 3]);
    for (let n = 2; n < 10; n++) expect((await again()).status).toBe(200);
    expect(await again()).toMatchObject({ status: 429, json: { error: { name: 'TooManyActs' } } });
  });

  test('twice at once ends with two versions, one after the other, and one of the two buckets', async () => {
    const world = apiWorld();
    const asked = ['one', 'two'].map((bucket) => world.call(BANK_A, 'PUT', put, { ...BUCKET, bucket: `a-${bucket}` }));
    expect((await Promise.all(asked)).map(({ status }) => status)).toEqual([200, 200]);
    const versions = await memberVersions(world.vault, 'bank-a');
    expect(versions.map(({ value }) => value.n)).toEqual([1, 2]);
    expect(versions[1]?.value.previous).toBe(versions[0]?.sha256);
  });

  test('in a loop is refused for the day, and for no other member', async () => {
    const world = apiWorld();
    const statuses = [];
    for (let n = 0; n < 11; n++)
      statuses.push((await world.call(BANK_A, 'PUT', put, { ...BUCKET, bucket: `a-bucket-${n}` })).status);
    expect(statuses).toEqual([...Array.from({ length: 10 }, () => 200), 429]);
    expect((await world.call(BANK_B, 'PUT', '/members/bank-b/destination', BUCKET)).status).toBe(200);
    world.later(86_401);
    expect((await world.call(BANK_A, 'PUT', put, { ...BUCKET, bucket: 'a-bucket-12' })).status).toBe(200);
  });

  test('that changes its mind all day is refused, too', async () => {
    const world = apiWorld();
    await world.call(BANK_A, 'PUT', put, BUCKET);
    const statuses = [];
    for (let n = 0; n < 200; n++)
      statuses.push((await world.call(BANK_A, 'PATCH', one, { environmentBackupTarget: n % 2 === 0 })).status);
    expect(statuses.slice(-2)).toEqual([200, 429]);
  });

  test.each([
    ['an account of its own choice', { account: '999999999999' }],
    ['an endpoint, such as a service of ours', { endpoint: 'http://169.254.169.254' }],
    ['a kind', { kind: 'folder' }],
    ['an address for a bucket', { bucket: '169.254.169.254' }],
    ['a path for a bucket', { bucket: '../vault' }],
    ['an access point’s alias', { bucket: 'something-s3alias' }],
    ['a Region that is none', { region: 'evil.example.com/' }],
    ['a key by its alias', { kmsKey: 'arn:aws:kms:eu-west-1:222222222222:alias/mine' }],
  ])('cannot name %s', async (_what, field) => {
    const world = apiWorld();
    const { status, json } = await world.call(BANK_A, 'PUT', put, { ...BUCKET, ...field });
    expect({ status, name: json.error.name }).toEqual({ status: 400, name: 'RequestInvalid' });
    expect(world.vault.objects.size).toBe(0);
  });

  test.each([
    ['NameElsewhere', { bucket: 'ledgers-999999999999-eu-west-1-an' }],
    ['NameElsewhere', { bucket: 'ledgers-222222222222-eu-west-2-an' }],
    ['KeyElsewhere', { kmsKey: 'arn:aws:kms:eu-west-1:999999999999:key/1234abcd' }],
    ['KeyElsewhere', { kmsKey: 'arn:aws:kms:eu-west-2:222222222222:key/1234abcd' }],
    ['VaultItself', { bucket: 'acme-vault' }],
  ])('is refused as %s for %j', async (name, field) => {
    const { status, json } = await apiWorld().call(BANK_A, 'PUT', put, { ...BUCKET, ...field });
    expect({ status, error: json.error }).toMatchObject({ status: 400, error: { name, remedy: expect.any(String) } });
  });

  test('may name its own key, and a name that only its account can have', async () => {
    const kmsKey = 'arn:aws:kms:eu-west-1:222222222222:key/1234abcd';
    const bucket = 'ledgers-222222222222-eu-west-1-an';
    const { json } = await apiWorld().call(BANK_A, 'PUT', put, { ...BUCKET, bucket, kmsKey });
    expect(json.destination).toMatchObject({ bucket, kmsKey });
  });
});

describe('a member that changes its entry', () => {
  test('is a target, pauses, goes on, and chooses chains', async () => {
    const world = apiWorld();
    await world.call(BANK_A, 'PUT', put, BUCKET);
    await actOn(registryOf(world), 'bank-a', SOUND);
    const patched = async (body: object) => (await world.call(BANK_A, 'PATCH', one, body)).json;
    expect(await patched({ environmentBackupTarget: true })).toMatchObject({ state: 'active', chains: null });
    expect(await patched({ environmentBackupTarget: false })).toMatchObject({ state: 'checked', targetSince: null });
    expect(await patched({ environmentBackupTarget: true, chains: ['consortium'] })).toMatchObject({
      ...{ state: 'active', chains: ['consortium'] },
    });
    expect((await world.call(BANK_A, 'PATCH', one, { chains: ['another'] })).json.error.name).toBe('NoSuchChain');
    expect(await patched({ chains: null })).toMatchObject({ state: 'active', chains: null });
  });

  test('takes chain files or none, and what it says of neither stays as it is', async () => {
    const world = apiWorld();
    expect((await world.call(BANK_A, 'PUT', put, BUCKET)).json.chainFiles).toBe(true);
    await actOn(registryOf(world), 'bank-a', SOUND);
    const patched = async (body: object) => (await world.call(BANK_A, 'PATCH', one, body)).json;
    const without = await patched({ environmentBackupTarget: true, chainFiles: false });
    expect(without).toMatchObject({ state: 'active', chainFiles: false });
    world.later(60);
    expect(await patched({ chains: null })).toMatchObject({ n: without.n, chainFiles: false });
    expect((await world.call(BANK_A, 'GET', one)).json).toMatchObject({ chainFiles: false });
    expect((await world.call(BANK_A, 'PUT', put, { ...BUCKET, bucket: 'another-one' })).json.chainFiles).toBe(false);
    await actOn(registryOf(world), 'bank-a', SOUND);
    await patched({ environmentBackupTarget: true });
    world.later(60);
    const started = world.started.length;
    const again = await patched({ chainFiles: true });
    // What it missed is a backfill, as it was when it became a target.
    expect(again).toMatchObject({ chainFiles: true, targetSince: '2026-11-01T00:02:00.000Z' });
    expect(world.started).toHaveLength(started + 1);
    expect(await patched({ chainFiles: true })).toMatchObject({ n: again.n });
  });

  test.each([
    {},
    { state: 'active' },
    { chainFiles: null },
    { chainFiles: 'no' },
    { paused: true },
    { environmentBackupTarget: 'yes' },
    { chains: ['..'] },
  ])('is refused for %j', async (body) => {
    const world = apiWorld();
    await world.call(BANK_A, 'PUT', put, BUCKET);
    expect((await world.call(BANK_A, 'PATCH', one, body)).status).toBe(400);
  });

  test('asks for a check, once; it is wanted until it was made', async () => {
    const world = apiWorld();
    await world.call(BANK_A, 'PUT', put, BUCKET);
    await actOn(registryOf(world), 'bank-a', SOUND);
    const before = (await world.call(BANK_A, 'GET', one)).json;
    expect(before.checkWanted).toBe(false);
    const asked = await world.call(BANK_A, 'POST', `${one}/check`);
    expect(asked).toMatchObject({ status: 202, json: { checkWanted: true, n: before.n + 1, state: 'checked' } });
    expect((await world.call(BANK_A, 'POST', `${one}/check`, {})).json.n).toBe(before.n + 1);
    await actOn(registryOf(world), 'bank-a', SOUND);
    expect((await world.call(BANK_A, 'GET', one)).json.checkWanted).toBe(false);
  });

  test('that has registered nothing is told so', async () => {
    const world = apiWorld();
    for (const [method, url] of [
      ['GET', one],
      ['PATCH', one],
      ['POST', `${one}/check`],
    ] as const) {
      const body = method === 'PATCH' ? { environmentBackupTarget: true } : undefined;
      const { status, json } = await world.call(BANK_A, method, url, body);
      expect({ status, name: json.error.name }).toEqual({ status: 404, name: 'NotRegistered' });
    }
  });

  test('ends a suspension that a fault has brought by registering again, and never one that the operator spoke', async () => {
    const world = apiWorld();
    await world.call(BANK_A, 'PUT', put, BUCKET);
    const suspended = (name: string) => ({ what: 'suspend', fault: { name, message: 'm', remedy: 'r' } }) as const;
    await actOn(registryOf(world), 'bank-a', suspended('SUSPENDED'));
    const refused = await world.call(BANK_A, 'PUT', put, { ...BUCKET, bucket: 'another-one' });
    expect(refused).toMatchObject({ status: 409, json: { error: { name: 'SuspendedByOperator' } } });
    await world.call(BANK_A, 'PATCH', one, { environmentBackupTarget: true });
    await world.call(BANK_A, 'POST', `${one}/check`);
    expect((await world.call(BANK_A, 'GET', one)).json.state).toBe('suspended');
    // A fault that comes after it, as of a delivery under way, is no way around it.
    await actOn(registryOf(world), 'bank-a', suspended('OWNER_CHANGED'));
    expect(await world.call(BANK_A, 'PUT', put, { ...BUCKET, bucket: 'another-one' })).toMatchObject({ status: 409 });
    await world.call(BANK_B, 'PUT', '/members/bank-b/destination', BUCKET);
    await actOn(registryOf(world), 'bank-b', suspended('OWNER_CHANGED'));
    const again = await world.call(BANK_B, 'PUT', '/members/bank-b/destination', BUCKET);
    expect(again.json).toMatchObject({ state: 'invited', fault: null });
  });

  test('that the operator has taken out cannot change anything, nor register again by itself', async () => {
    const world = apiWorld();
    await world.call(BANK_A, 'PUT', put, BUCKET);
    await actOn(registryOf(world), 'bank-a', { what: 'leave' });
    const patched = await world.call(BANK_A, 'PATCH', one, { environmentBackupTarget: true });
    expect(patched).toMatchObject({ status: 409, json: { error: { name: 'MemberActRefused' } } });
    expect(await world.call(BANK_A, 'PUT', put, BUCKET)).toMatchObject({
      ...{ status: 409, json: { error: { name: 'SuspendedByOperator' } } },
    });
  });
});

describe('whoever is not the member', () => {
  const routes = [
    ['GET', ''],
    ['PATCH', ''],
    ['PUT', '/destination'],
    ['DELETE', '/destination'],
    ['POST', '/check'],
    ['GET', '/receipts'],
    ['GET', '/proofs'],
    ['GET', '/history'],
  ] as const;

  test.each(routes)(
    '%s /members/{id}%s is refused alike to another, a stranger, the operator, for nobody',
    async (method, rest) => {
      const world = apiWorld();
      const asked = [
        await world.call(BANK_B, method, `/members/bank-a${rest}`, BUCKET),
        await world.call(STRANGER, method, `/members/bank-a${rest}`, BUCKET),
        await world.call(OPERATOR, method, `/members/bank-a${rest}`, BUCKET),
        await world.call(BANK_A, method, `/members/nobody${rest}`, BUCKET),
        await world.call(BANK_A, method, `/members/__proto__${rest}`, BUCKET),
        await world.call(BANK_A, method, `/members/bank-a%2f..%2fbank-b${rest}`, BUCKET),
      ];
      const told = asked.map(({ status, json }) => [status, json.error.name]);
      expect(told).toEqual(asked.map(() => [403, 'NotYourMember']));
      expect(world.vault.objects.size).toBe(0);
    },
  );

  test.each(routes)('%s /members/{id}%s is refused to who has not signed', async (method, rest) => {
    const { status, json } = await apiWorld().call(undefined, method, `/members/bank-a${rest}`, BUCKET);
    expect({ status, name: json.error.name }).toEqual({ status: 403, name: 'CallerUnknown' });
  });

  test('gets nowhere by a path that leads elsewhere', async () => {
    const world = apiWorld();
    const dotted = await world.call(BANK_A, 'PUT', '/members/bank-a/../bank-b/destination', BUCKET);
    expect(dotted).toMatchObject({ status: 403, json: { error: { name: 'NotYourMember' } } });
    for (const path of [
      '/members/bank-a/../../nodes/consortium/backup',
      '/members/..%2f..%2fsets',
      '//evil.example/x',
      '/',
      '',
    ]) {
      expect([403, 404]).toContain((await world.call(BANK_A, 'GET', path)).status);
    }
    expect(world.vault.objects.size).toBe(0);
  });
});

describe('a request', () => {
  test('that is too long, no JSON, no object, or has more than it may is refused before anything is read', async () => {
    const world = apiWorld();
    const bodies = [
      `"${'x'.repeat(9000)}"`,
      '{"bucket":',
      '[]',
      'null',
      '{"bucket":"b"}',
      JSON.stringify({ ...BUCKET, more: 1 }),
    ];
    const statuses = [];
    for (const body of bodies) statuses.push((await world.call(BANK_A, 'PUT', put, body)).status);
    expect(statuses).toEqual([413, 400, 400, 400, 400, 400]);
    expect((await world.call(BANK_A, 'GET', `${one}/receipts?after=-1`)).status).toBe(400);
    expect((await world.call(BANK_A, 'GET', `${one}/receipts?before=1`)).status).toBe(400);
    expect((await world.call(BANK_A, 'POST', `${one}/check`, { account: '1' })).status).toBe(400);
    for (const method of ['DELETE', 'TRACE', 'CONNECT', 'OPTIONS', 'b ad']) {
      expect(await world.call(BANK_A, method, one)).toMatchObject({
        status: 404,
        json: { error: { name: 'NoSuchRoute' } },
      });
    }
  });

  test('of a principal with a name longer than the registry takes is written with what fits', async () => {
    const world = apiWorld();
    const arn = `arn:aws:iam::222222222222:user/${'p'.repeat(500)}/ann`;
    expect((await world.call({ ...BANK_A, arn }, 'PUT', put, BUCKET)).status).toBe(200);
    expect((await world.call(BANK_A, 'GET', one)).json.by).toBe(arn.slice(0, 300));
  });

  test('over a registry that was edited is answered with no word of it, which is in the log', async () => {
    const world = apiWorld();
    world.vault.objects.set('members/bank-a/00000001.json', Buffer.from('{"secret":1}'));
    const { status, json } = await world.call(BANK_A, 'GET', one);
    expect({ status, name: json.error.name }).toEqual({ status: 500, name: 'NotAnswered' });
    expect(JSON.stringify(json)).not.toMatch(/secret|members\//);
    expect(world.failures).toMatchObject([{ name: 'NotADocument' }]);
  });
});

describe('what a member has changed', () => {
  test('is checked and delivered at once: the deliveries are started, and by nothing that only asks', async () => {
    const world = apiWorld();
    await world.call(BANK_A, 'PUT', put, BUCKET);
    await world.call(BANK_A, 'PATCH', one, { environmentBackupTarget: true });
    await actOn(registryOf(world), 'bank-a', SOUND);
    await world.call(BANK_A, 'POST', `${one}/check`);
    await world.call(BANK_A, 'GET', one);
    await world.call(STRANGER, 'PUT', put, BUCKET);
    expect(world.started).toHaveLength(3);
  });

  test('starts a look of its own, also within a minute, and what changes nothing starts none', async () => {
    const world = apiWorld();
    await world.call(BANK_A, 'PUT', put, BUCKET);
    await world.call(BANK_A, 'PATCH', one, { environmentBackupTarget: true });
    expect(world.started).toEqual(['bank-a_20261101T0000', 'bank-a_20261101T0000_2']);
    const before = world.started.length;
    await world.call(BANK_A, 'PATCH', one, { environmentBackupTarget: true });
    await world.call(BANK_A, 'PUT', put, BUCKET);
    expect(world.started).toHaveLength(before);
    world.later(60);
    await world.call(BANK_A, 'PATCH', one, { environmentBackupTarget: false });
    expect(world.started.at(-1)).toBe('bank-a_20261101T0001_3');
  });

  test('is in the registry, and answered so, also when the deliveries cannot be started', async () => {
    const world = apiWorld();
    const failing = { start: async () => Promise.reject(new Error('throttled')) };
    Object.assign(world.ports, { deliveries: failing });
    expect((await world.call(BANK_A, 'PUT', put, BUCKET)).status).toBe(200);
    expect(world.failures).toHaveLength(1);
    expect((await memberVersions(world.vault, 'bank-a')).length).toBe(1);
  });
});
