import { describe, expect, test } from '@jest/globals';
import { MemberUnavailable } from '../../../core/delivery.ts';
import { memberAtWork } from '../../../core/deployed-names.ts';
import { ExecutionNameTaken } from '../../../core/executions.ts';
import { destinationOnAws, refusing } from '../../../core/member-destinations.ts';
import { MEMBERS_A_PAGE, PAGES_A_LOOK, pagesOf } from '../../../core/member-pages.ts';
import { type Member, MemberId } from '../../../core/members.ts';
import { run as deliverMember } from '../../../lambdas/deliver-member/run.ts';
import { run as listMembers } from '../../../lambdas/list-members/run.ts';
import { run as startDeliveries } from '../../../lambdas/start-deliveries/run.ts';
import { deliver } from '../../../vault/deliver.ts';
import { readMember, readMembers } from '../../../vault/members.ts';
import { deliveryWorld } from '../../support/delivery-world.ts';
import { unprovenSigner } from '../../support/toy-deliveries.ts';

const bytes = (text: string) => Buffer.from(text);
const AWAY = { name: 'MemberUnavailable', message: 'away', remedy: 'Wait.' };
const doesNotAnswer = async () => {
  throw new MemberUnavailable('away', 'Wait.');
};

function deployed() {
  const world = deliveryWorld();
  const gauges: Record<string, number> = {};
  const journal = { note: () => {}, failure: () => {} };
  const busy = new Set<string>();
  const ports = { ...world.registry, journal, network: world.registry.network };
  const look = () =>
    listMembers(
      {},
      { ...ports, gauges: { set: (name, value) => void (gauges[name] = value) }, atWork: async () => busy },
    );
  const turn = (member: string, milliseconds = 60_000) =>
    deliverMember(
      { member: MemberId.parse(member) },
      {
        ...{ ...ports, signer: unprovenSigner, turn: milliseconds },
        destinationOf: ({ member: id }) => world.storeOf(id),
      },
    );
  return { ...world, look, turn, gauges, busy };
}

describe('a look at the members of a deployed network', () => {
  test('lists who lacks something and is not at work, and nobody else', async () => {
    const { history, join, register, act, look, turn, busy } = deployed();
    await history.seal(bytes('a'));
    await join('whole', 'lacking', 'busy', 'off');
    await turn('whole');
    busy.add('busy');
    await act('off', { what: 'set', environmentBackupTarget: false });
    expect(await look()).toEqual({ pages: [['lacking']], members: 4, more: false });
    await act('new', { what: 'register', destination: { kind: 'folder', path: '/new' } });
    expect((await look()).pages).toEqual([['lacking', 'new']]);
    await register('whole');
    expect((await look()).pages).toEqual([['lacking', 'new']]);
  });

  test('lists who lacks nothing once its destination was not looked at for a week', async () => {
    const { history, join, look, turn, later } = deployed();
    await history.seal(bytes('a'));
    await join('whole');
    await turn('whole');
    later(6 * 86_400);
    expect((await look()).pages).toEqual([]);
    later(86_400);
    expect((await look()).pages).toEqual([['whole']]);
    await turn('whole');
    expect((await look()).pages).toEqual([]);
  });

  test('tells how many are badly off, damaged registrations among them', async () => {
    const { history, join, look, turn, gauges, storeOf, later, vault } = deployed();
    await join('fine', 'refusing', 'lagging', 'edited');
    later(60);
    await history.seal(bytes('a'));
    storeOf('refusing').fault = 'refuses';
    await turn('refusing');
    await turn('fine');
    const key = [...vault.objects.keys()].findLast((each) => each.startsWith('members/edited/')) ?? '';
    vault.objects.set(key, bytes('{}'));
    later(7 * 3600);
    await look();
    expect(gauges).toEqual({
      MembersSuspended: 2,
      MembersLagging: expect.any(Number),
      BackfillsStalled: expect.any(Number),
    });
    expect((gauges['MembersLagging'] ?? 0) + (gauges['BackfillsStalled'] ?? 0)).toBe(1);
  });

  test('keeps nobody waiting for a member whose receipts are damaged, and counts it with those to be looked at', async () => {
    const { history, join, look, turn, gauges, vault } = deployed();
    await history.seal(bytes('a'));
    await join('damaged', 'lacking');
    await turn('damaged');
    const key = [...vault.objects.keys()].findLast((each) => /^deliveries\/damaged\/\d+\.json$/.test(each)) ?? '';
    vault.objects.set(key, bytes('{}'));
    expect((await look()).pages).toEqual([['lacking']]);
    expect(gauges['MembersSuspended']).toBe(1);
  });

  test('lists no more than a state can hold, and says that there are others', () => {
    const count = MEMBERS_A_PAGE * PAGES_A_LOOK;
    const ids = Array.from({ length: count + 1 }, (_, n) => MemberId.parse(`${n}-`.padEnd(39, 'x') + String(n % 10)));
    const found = pagesOf(ids);
    expect([found.pages.flat().length, found.more, pagesOf(ids.slice(1)).more]).toEqual([count, true, false]);
    expect(Buffer.byteLength(JSON.stringify({ ...found, members: 10_000 }))).toBeLessThan(256 * 1024);
  });

  test('starts each member of a page by a name that is the same within the minute', async () => {
    const started: [string, object][] = [];
    const start = async (name: string, input: object) => {
      started.push([name, input]);
      return name;
    };
    const clock = { now: () => new Date('2026-11-29T12:34:56Z') };
    await startDeliveries({ page: [MemberId.parse('bank-a')] }, { machine: { start }, clock });
    expect(started).toEqual([['bank-a_20261129T1234', { member: 'bank-a' }]]);
  });

  test('starts a member once more within the minute where its execution has ended, and everybody behind it', async () => {
    const ended = ['bank-a_20261129T1234', 'bank-a_20261129T1234_2'];
    const started: string[] = [];
    const start = async (name: string) => {
      if (ended.includes(name)) throw new ExecutionNameTaken('taken', 'Take another.');
      started.push(name);
      return name;
    };
    const clock = { now: () => new Date('2026-11-29T12:34:56Z') };
    const page = ['bank-a', 'bank-b'].map((id) => MemberId.parse(id));
    expect(await startDeliveries({ page }, { machine: { start }, clock })).toEqual({ started: 2 });
    expect(started).toEqual(['bank-a_20261129T1234_3', 'bank-b_20261129T1234']);
    const arn = (name: string) => `arn:aws:states:eu-central-1:111111111111:execution:ledgerhold-acme_Delivery:${name}`;
    expect([...ended, ...started].map((name) => memberAtWork(arn(name)))).toEqual([
      ...['bank-a', 'bank-a', 'bank-a', 'bank-b'],
    ]);
  });
});

describe('reading back on AWS', () => {
  test('is a turn of its own where nothing else is lacking, once a day, of members that let us', async () => {
    const { history, join, joinReadable, look, turn, later, storeOf } = deployed();
    await history.seal(bytes('a'), bytes('b'));
    await join('closed');
    await joinReadable('open');
    for (const member of ['closed', 'open']) await turn(member);
    const first = storeOf('open').keysRead.length;
    expect((await look()).pages).toEqual([]);
    let days = 0;
    for (later(86_400); days < 6; days += 1, later(86_400)) {
      expect((await look()).pages).toEqual([['open']]);
      await turn('open');
      expect((await look()).pages).toEqual([]);
    }
    expect([storeOf('open').keysRead.length > first, storeOf('closed').keysRead]).toEqual([true, []]);
    expect([...storeOf('open').keysRead].sort()).toEqual([...storeOf('open').objects.keys()].sort());
  });

  test('suspends who has another byte, and is counted among those that an alarm is for', async () => {
    const { history, joinReadable, look, turn, later, storeOf, vault, gauges } = deployed();
    await history.seal(bytes('a'));
    await joinReadable('open');
    await turn('open');
    for (const key of storeOf('open').objects.keys()) storeOf('open').objects.set(key, bytes('b'));
    for (let days = 0; days < 7; days += 1, later(86_400)) await turn('open');
    expect((await readMember(vault, 'open'))?.value).toMatchObject({ state: 'suspended', fault: { name: 'TAMPERED' } });
    await look();
    expect(gauges['MembersSuspended']).toBe(1);
  });

  test('is learned to be granted by the check of a destination', async () => {
    const { act, turn, vault, storeOf } = deployed();
    for (const [member, grantsReads] of [
      ['open', true],
      ['closed', false],
    ] as const) {
      storeOf(member).grantsReads = grantsReads;
      await act(member, { what: 'register', destination: { kind: 'folder', path: `/${member}` } });
      await turn(member);
      expect((await readMember(vault, member))?.value.check).toMatchObject({ faults: [], reads: grantsReads });
    }
  });
});

describe('a turn of the delivery to one member', () => {
  test('checks a destination that was registered before anything goes there, and goes on when it is a target', async () => {
    const { history, act, turn, held, shared, vault, storeOf } = deployed();
    await history.seal(bytes('a'));
    await act('bank-a', { what: 'register', destination: { kind: 'folder', path: '/bank-a' } });
    storeOf('bank-a').faults = [{ name: 'OVERWRITABLE', message: 'm', remedy: 'r' }];
    expect(await turn('bank-a')).toMatchObject({ outcome: 'off', more: false });
    expect((await readMember(vault, 'bank-a'))?.value).toMatchObject({
      state: 'invited',
      check: { faults: [{ name: 'OVERWRITABLE' }] },
    });
    storeOf('bank-a').faults = [];
    await act(
      'bank-a',
      { what: 'register', destination: { kind: 'folder', path: '/bank-a' } },
      { what: 'set', environmentBackupTarget: true },
    );
    expect(await turn('bank-a')).toMatchObject({ outcome: 'whole', more: false });
    expect(held('bank-a')).toEqual(shared());
  });

  test('ends when its time is over, and says that there is more', async () => {
    const { history, join, turn, storeOf, later } = deployed();
    for (let n = 0; n < 5; n++) await history.seal(bytes(String(n)));
    await join('bank-a');
    storeOf('bank-a').onPut = () => later(20);
    expect(await turn('bank-a', 30_000)).toMatchObject({ outcome: 'more', more: true });
    storeOf('bank-a').onPut = () => {};
    expect(await turn('bank-a')).toMatchObject({ outcome: 'whole', more: false });
  });

  describe('where a chain is damaged', () => {
    async function damagedWorld() {
      const world = deployed();
      await world.history.seal(bytes('a'));
      for (let n = 0; n < 5; n++) await world.second.seal(bytes(String(n)));
      await world.joinReadable('bank-a');
      world.vault.objects.delete('chain/consortium/runs/slot-1/1/agreement.json');
      return world;
    }

    test('goes on turn after turn with the others while there is more, and fails by it in the end', async () => {
      const { turn, held, shared, storeOf, later } = await damagedWorld();
      storeOf('bank-a').onPut = () => later(20);
      let turns = 0;
      for (; turns < 9 && (await turn('bank-a', 60_000).catch(() => undefined))?.more === true; turns += 1);
      expect(turns).toBeGreaterThan(1);
      expect(turns).toBeLessThan(9);
      expect(held('bank-a')).toEqual(expect.arrayContaining(shared().filter((key) => key.startsWith('chain/second/'))));
      await expect(turn('bank-a')).rejects.toMatchObject({ kind: 'violation' });
    });

    test('reads back what is there before it fails', async () => {
      const { turn, storeOf } = await damagedWorld();
      await expect(turn('bank-a')).rejects.toMatchObject({ kind: 'violation' });
      expect(storeOf('bank-a').keysRead).not.toEqual([]);
    });

    test('comes to an end also where a turn has time for nothing, since nothing more is sound', async () => {
      const { turn } = await damagedWorld();
      await turn('bank-a').catch(() => {});
      await expect(turn('bank-a', 0)).rejects.toMatchObject({ kind: 'violation' });
    });
  });

  test('does nothing for a member that nobody knows', async () => {
    const { turn } = deployed();
    expect(await turn('nobody')).toMatchObject({ outcome: 'off', objects: 0 });
  });

  test('says why a new destination could not be checked, until it is', async () => {
    const { act, turn, look, vault, storeOf } = deployed();
    const member = async () => (await readMember(vault, 'bank-a'))?.value;
    await act('bank-a', { what: 'register', destination: { kind: 'folder', path: '/bank-a' } });
    storeOf('bank-a').check = doesNotAnswer;
    expect(await turn('bank-a')).toMatchObject({ outcome: 'failed', more: false });
    expect(await member()).toMatchObject({ state: 'invited', check: null, fault: AWAY, retry: null });
    expect((await look()).pages).toEqual([['bank-a']]);
    storeOf('bank-a').check = async () => [];
    await turn('bank-a');
    expect(await member()).toMatchObject({ state: 'checked', check: { faults: [] }, fault: null });
  });

  test('degrades who does not answer its weekly check, tries again less and less often, and takes it back', async () => {
    const { history, join, turn, look, storeOf, later, vault } = deployed();
    const member = async () => (await readMember(vault, 'bank-a'))?.value;
    await history.seal(bytes('a'));
    await join('bank-a');
    await turn('bank-a');
    later(7 * 86_400);
    storeOf('bank-a').check = doesNotAnswer;
    for (const failures of [1, 2]) {
      expect(await turn('bank-a')).toMatchObject({ outcome: 'failed', more: false });
      expect(await member()).toMatchObject({ state: 'degraded', fault: AWAY, retry: { failures } });
      later(3600);
    }
    storeOf('bank-a').check = async () => [];
    expect((await look()).pages).toEqual([['bank-a']]);
    expect(await turn('bank-a')).toMatchObject({ outcome: 'whole' });
    expect(await member()).toMatchObject({ state: 'active', fault: null, retry: null });
  });

  test('comes again with every hour to a member whose store stays away', async () => {
    const { history, join, turn, look, storeOf, later } = deployed();
    await history.seal(bytes('a'));
    await join('bank-a');
    storeOf('bank-a').fault = 'away';
    for (let hour = 0; hour < 12; hour += 1) {
      expect([hour, (await look()).pages]).toEqual([hour, [['bank-a']]]);
      // A turn ends some time behind the tick that began it, and its next try is counted from then.
      later(540);
      expect(await turn('bank-a')).toMatchObject({ outcome: 'failed' });
      later(3600 - 540);
    }
  });

  test('tries a member that has failed at once where somebody asks for it', async () => {
    const { history, join, turn, act, look, storeOf } = deployed();
    await history.seal(bytes('a'));
    await join('bank-a');
    storeOf('bank-a').fault = 'away';
    await turn('bank-a');
    storeOf('bank-a').fault = undefined;
    expect(await turn('bank-a')).toMatchObject({ outcome: 'later' });
    await act('bank-a', { what: 'ask' });
    expect((await look()).pages).toEqual([['bank-a']]);
    expect(await turn('bank-a')).toMatchObject({ outcome: 'whole' });
  });

  test('leaves a suspension its fault where the check that it wants is not answered', async () => {
    const { register, act, turn, storeOf, vault } = deployed();
    await register('bank-a');
    await act('bank-a', { what: 'suspend', fault: { name: 'X', message: 'm', remedy: 'r' } });
    storeOf('bank-a').check = doesNotAnswer;
    expect(await turn('bank-a')).toMatchObject({ outcome: 'failed', more: false });
    expect((await readMember(vault, 'bank-a'))?.value).toMatchObject({
      ...{ state: 'suspended', fault: { name: 'X' }, checkAsked: expect.any(String) },
    });
  });

  test('takes back that a member has failed, also where it lacks nothing any more', async () => {
    const { history, join, turn, look, act, later, vault } = deployed();
    await history.seal(bytes('a'));
    await join('bank-a');
    await turn('bank-a');
    await act('bank-a', { what: 'degrade', fault: { name: 'MemberUnavailable', message: 'm', remedy: 'r' } });
    expect((await look()).pages).toEqual([]);
    later(3600);
    expect((await look()).pages).toEqual([['bank-a']]);
    await turn('bank-a');
    expect((await readMember(vault, 'bank-a'))?.value.state).toBe('active');
  });

  test('looks at a destination after a week also if it does not bring all', async () => {
    const { history, join, turn, storeOf, later, vault } = deployed();
    await join('bank-a');
    for (let n = 0; n < 5; n++) await history.seal(bytes(String(n)));
    storeOf('bank-a').faults = [{ name: 'OVERWRITABLE', message: 'm', remedy: 'r' }];
    later(7 * 86_400);
    storeOf('bank-a').onPut = () => later(20);
    expect(await turn('bank-a', 30_000)).toMatchObject({ outcome: 'suspended', objects: 0 });
    expect((await readMember(vault, 'bank-a'))?.value.fault?.name).toBe('OVERWRITABLE');
  });

  test('looks at a destination again after a week, and suspends one that would let us overwrite', async () => {
    const { history, join, turn, storeOf, later, vault } = deployed();
    await history.seal(bytes('a'));
    await join('bank-a');
    await turn('bank-a');
    storeOf('bank-a').faults = [{ name: 'OVERWRITABLE', message: 'm', remedy: 'r' }];
    later(6 * 86_400);
    await turn('bank-a');
    expect((await readMember(vault, 'bank-a'))?.value.state).toBe('active');
    later(86_400);
    await turn('bank-a');
    expect((await readMember(vault, 'bank-a'))?.value).toMatchObject({
      state: 'suspended',
      fault: { name: 'OVERWRITABLE' },
    });
  });
});

describe('where a deployed delivery may go', () => {
  const to = (destination: Member['destination']) => ({ member: 'bank-a', destination }) as Member;
  const bucket = { kind: 'bucket', bucket: 'b-1', region: 'eu-central-1', account: '333333333333' } as const;

  test('is a bucket of the account that the list has for this member, and nothing else', () => {
    expect(destinationOnAws(to(bucket), { 'bank-a': '333333333333' })).toEqual(bucket);
    const faultOf = (
      destination: Member['destination'],
      accounts: Record<string, string> = { 'bank-a': '333333333333' },
    ) => {
      const found = destinationOnAws(to(destination), accounts);
      return 'name' in found ? found.name : found;
    };
    expect(faultOf(bucket, { 'bank-a': '444444444444', 'bank-b': '333333333333' })).toBe('ANOTHER_OWNER');
    expect(faultOf(bucket, { 'bank-b': '333333333333' })).toBe('ANOTHER_OWNER');
    expect(faultOf({ ...bucket, endpoint: 'http://169.254.169.254' })).toBe('NOT_ON_AWS');
    expect(faultOf({ kind: 'folder', path: '/tmp' })).toBe('NOT_ON_AWS');
    expect(faultOf(null)).toBe('NOT_ON_AWS');
  });

  test('is nowhere else: what was registered otherwise is suspended by its fault, and a check names it', async () => {
    const { history, join, run, vault, registry } = deliveryWorld();
    await history.seal(bytes('a'));
    await join('bank-a');
    const fault = { name: 'ANOTHER_OWNER', message: 'm', remedy: 'r' };
    const members = (await readMembers(vault)).members.map(({ value }) => value);
    const ports = { ...registry, signer: unprovenSigner, signal: AbortSignal.any([]) };
    const [end] = await deliver({ ...ports, destinationOf: () => refusing('x', fault) }, members);
    expect(end).toMatchObject({ outcome: 'suspended', objects: 0, fault });
    expect(await refusing('x', fault).check()).toEqual([fault]);
    expect(await run()).toMatchObject({ 'bank-a': { outcome: 'suspended' } });
  });
});
