import { describe, expect, test } from '@jest/globals';
import { memberAtWork } from '../../../core/deployed-names.ts';
import { isOnAws } from '../../../core/destination.ts';
import { ExecutionNameTaken } from '../../../core/executions.ts';
import { destinationOnAws, refusing } from '../../../core/member-destinations.ts';
import { MEMBERS_A_PAGE, PAGES_A_LOOK, pagesOf } from '../../../core/member-pages.ts';
import { type Member, MemberId } from '../../../core/members.ts';
import { run as startDeliveries } from '../../../lambdas/start-deliveries/run.ts';
import { deliver } from '../../../vault/deliver.ts';
import { readMember, readMembers } from '../../../vault/members.ts';
import { deployedDelivery } from '../../support/delivery-turns.ts';
import { deliveryWorld } from '../../support/delivery-world.ts';
import { unprovenSigner } from '../../support/toy-deliveries.ts';

const bytes = (text: string) => Buffer.from(text);
describe('a look at the members of a deployed network', () => {
  test('lists who lacks something and is not at work, and nobody else', async () => {
    const { history, join, register, act, look, turn, busy } = deployedDelivery();
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
    const { history, join, look, turn, later } = deployedDelivery();
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

  test('lists who was at work and has ended since, if it lacks anything still', async () => {
    const { history, join, look, turn, busy } = deployedDelivery();
    await history.seal(bytes('a'));
    await join('served', 'passed-over', 'at-work');
    for (const member of ['served', 'passed-over', 'at-work']) busy.add(member);
    const found = await look(async () => {
      await turn('served');
      busy.delete('served');
      busy.delete('passed-over');
    });
    expect(found.pages).toEqual([['passed-over']]);
  });

  test('counts whom a machine delivers to, and lists them never, also if they were at work', async () => {
    const { history, join, look, gauges, busy, elsewhere, later } = deployedDelivery();
    await join('folder', 'moved', 'lacking');
    await history.seal(bytes('a'));
    later(7200);
    busy.add('moved');
    elsewhere.add('folder');
    const found = await look(async () => {
      busy.delete('moved');
      elsewhere.add('moved');
    });
    expect(found).toEqual({ pages: [['lacking']], members: 3, more: false });
    expect(gauges).toMatchObject({ 'MemberLag folder': 7200, 'MemberLag moved': 7200, 'MemberLag lacking': 7200 });
  });

  test('tells how many are badly off, damaged registrations among them', async () => {
    const { history, join, look, turn, gauges, storeOf, later, vault } = deployedDelivery();
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
    expect(gauges).toMatchObject({
      MembersSuspended: 2,
      MembersLagging: expect.any(Number),
      BackfillsStalled: expect.any(Number),
    });
    expect((gauges['MembersLagging'] ?? 0) + (gauges['BackfillsStalled'] ?? 0)).toBe(1);
  });

  test('measures by name who is late, and nobody else', async () => {
    const { history, join, act, look, turn, gauges, later } = deployedDelivery();
    await history.seal(bytes('a'), bytes('bcd'));
    await join('whole', 'part', 'off', 'new');
    for (const member of ['whole', 'part']) await turn(member);
    await act('off', { what: 'set', environmentBackupTarget: false });
    await history.seal(bytes('c'), bytes('d'));
    await turn('whole');
    later(7200);
    await look();
    const named = Object.fromEntries(Object.entries(gauges).filter(([name]) => name.startsWith('MemberL')));
    expect(named).toEqual({
      ...{ 'MemberLag part': 7200, 'MemberLagBlocks part': 2 },
      ...{ 'MemberLag new': 7200, 'MemberLagBlocks new': 4 },
    });
    expect(gauges).toMatchObject({ 'MemberFiles part': 2, 'MemberProgress part': 50, 'MemberProgress new': 0 });
    expect(gauges['MemberBytes part']).toBeGreaterThan(4);
  });

  test('reads the newest receipt of a member alone, and the members side by side', async () => {
    const { vault, history, join, look, turn } = deployedDelivery();
    const members = Array.from({ length: 8 }, (_, n) => `bank-${n}`);
    await join(...members);
    for (let n = 0; n < 4; n++) {
      await history.seal(bytes(String(n)));
      for (const member of members) await turn(member);
    }
    await history.seal(bytes('new'));
    const keys: string[] = [];
    let [now, most] = [0, 0];
    const get = vault.get.bind(vault);
    vault.get = async (...asked) => {
      keys.push(asked[0]);
      now += 1;
      if (asked[0].startsWith('members/')) most = Math.max(most, now);
      await new Promise((done) => setTimeout(done, 1));
      return get(...asked).finally(() => {
        now -= 1;
      });
    };
    expect((await look()).pages.flat()).toHaveLength(members.length);
    // That it cites the one before it is looked at, too.
    const receipts = keys.filter((key) => /^deliveries\/bank-0\/\d+\.json$/.test(key));
    expect(receipts).toHaveLength(2);
    expect(most).toBeGreaterThan(members.length / 2);
  });

  test('keeps nobody waiting for a member whose receipts are damaged, and counts it with those to be looked at', async () => {
    const { history, join, look, turn, gauges, vault } = deployedDelivery();
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
    const { history, join, joinReadable, look, turn, later, storeOf } = deployedDelivery();
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
    const { history, joinReadable, look, turn, later, storeOf, vault, gauges } = deployedDelivery();
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
    const { act, turn, vault, storeOf } = deployedDelivery();
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
    const { history, act, turn, held, shared, vault, storeOf } = deployedDelivery();
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
    const { history, join, turn, storeOf, later } = deployedDelivery();
    for (let n = 0; n < 5; n++) await history.seal(bytes(String(n)));
    await join('bank-a');
    storeOf('bank-a').onPut = () => later(20);
    expect(await turn('bank-a', 30_000)).toMatchObject({ outcome: 'more', more: true });
    storeOf('bank-a').onPut = () => {};
    expect(await turn('bank-a')).toMatchObject({ outcome: 'whole', more: false });
  });

  test('does nothing for a member that nobody knows', async () => {
    const { turn } = deployedDelivery();
    expect(await turn('nobody')).toMatchObject({ outcome: 'off', objects: 0 });
  });

  test('does nothing for a member that a machine delivers to: no check, no file, no suspension', async () => {
    const { history, join, turn, storeOf, later, vault, elsewhere } = deployedDelivery();
    await history.seal(bytes('a'));
    await join('folder');
    elsewhere.add('folder');
    later(8 * 86_400);
    storeOf('folder').faults = [{ name: 'NOT_ON_AWS', message: 'm', remedy: 'r' }];
    expect(await turn('folder')).toEqual({ outcome: 'off', more: false, objects: 0 });
    expect((await readMember(vault, 'folder'))?.value.state).toBe('active');
    expect(storeOf('folder').objects.size).toBe(0);
  });

  test('looks at a destination after a week also if it does not bring all', async () => {
    const { history, join, turn, storeOf, later, vault } = deployedDelivery();
    await join('bank-a');
    for (let n = 0; n < 5; n++) await history.seal(bytes(String(n)));
    storeOf('bank-a').faults = [{ name: 'OVERWRITABLE', message: 'm', remedy: 'r' }];
    later(7 * 86_400);
    storeOf('bank-a').onPut = () => later(20);
    expect(await turn('bank-a', 30_000)).toMatchObject({ outcome: 'suspended', objects: 0 });
    expect((await readMember(vault, 'bank-a'))?.value.fault?.name).toBe('OVERWRITABLE');
  });

  test('looks at a destination again after a week, and suspends one that would let us overwrite', async () => {
    const { history, join, turn, storeOf, later, vault } = deployedDelivery();
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

  test('is looked at for members with such a bucket alone', () => {
    const others = [{ ...bucket, endpoint: 'http://127.0.0.1' }, { kind: 'folder', path: '/tmp' } as const, null];
    expect([bucket, ...others].map(isOnAws)).toEqual([true, false, false, false]);
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

describe('what a member does while its delivery is at work', () => {
  test('is seen by that delivery, which takes another turn; what it writes itself is no reason for one', async () => {
    const { history, second, join, asked, turn, held, shared, storeOf } = deployedDelivery();
    await history.seal(bytes('a'));
    await second.seal(bytes('z'));
    await join('bank-a');
    await asked('bank-a', { what: 'set', chains: ['second'] });
    storeOf('bank-a').fault = 'away';
    expect(await turn('bank-a')).toMatchObject({ outcome: 'failed', more: false });
    storeOf('bank-a').fault = undefined;
    await asked('bank-a', { what: 'register', destination: { kind: 'folder', path: '/bank-a' } });
    await asked('bank-a', { what: 'set', environmentBackupTarget: true });
    storeOf('bank-a').onPut = ({ key }) => {
      if (key.endsWith('.rlp')) void asked('bank-a', { what: 'set', chains: null });
    };
    expect(await turn('bank-a')).toMatchObject({ outcome: 'more', more: true });
    expect(held('bank-a').filter((key) => key.startsWith('chain/consortium/'))).toEqual([]);
    expect(await turn('bank-a')).toMatchObject({ outcome: 'whole', more: false });
    expect(held('bank-a')).toEqual(shared());
  });

  test('is no failure of it, also where the check is of a destination that it has given up meanwhile', async () => {
    const { history, asked, turn, storeOf, vault } = deployedDelivery();
    await history.seal(bytes('a'));
    const register = (path: string) => asked('bank-a', { what: 'register', destination: { kind: 'folder', path } });
    await register('/bank-a');
    const store = storeOf('bank-a');
    store.check = async () => (await register('/another'), []);
    expect(await turn('bank-a')).toEqual({ outcome: 'off', objects: 0, more: true });
    store.check = async () => [];
    expect(await turn('bank-a')).toMatchObject({ outcome: 'off', more: false });
    expect((await readMember(vault, 'bank-a'))?.value).toMatchObject({ state: 'checked', check: { faults: [] } });
  });
});
