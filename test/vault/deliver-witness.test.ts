import { describe, expect, test } from '@jest/globals';
import { memberAlarms } from '../../core/member-alarms.ts';
import { deliveredTo } from '../../vault/deliveries.ts';
import { memberStatus } from '../../vault/member-status.ts';
import { readMember } from '../../vault/members.ts';
import { deliveryWorld } from '../support/delivery-world.ts';

const bytes = (text: string) => Buffer.from(text);
const isFile = (key: string) => key.endsWith('.rlp');
const bodies = (of: string, count: number) => Array.from({ length: count }, (_, n) => bytes(`${of} ${n}`));

/** A world in which what is put into each member's store is written down. */
function witnessWorld() {
  const world = deliveryWorld();
  const { act, storeOf, held, shared, vault } = world;
  const puts = new Map<string, string[]>();
  const join = async (member: string, ...wishes: { chainFiles: boolean }[]) => {
    await world.join(member);
    for (const wish of wishes) await act(member, { what: 'set', ...wish });
    const own: string[] = [];
    puts.set(member, own);
    storeOf(member).onPut = ({ key }) => void own.push(key);
  };
  const memberNow = async (member: string) => {
    const found = await readMember(vault, member);
    if (found === undefined) throw new Error(`there is no ${member}`);
    return found.value;
  };
  return {
    ...{ ...world, join, memberNow },
    take: (member: string, chainFiles: boolean) => act(member, { what: 'set', chainFiles }),
    /** What was put there since this was asked last. */
    putsOf: (member: string) => (puts.get(member) ?? []).splice(0).sort(),
    status: async (member: string) => memberStatus(vault, await memberNow(member)),
    cursor: async (member: string) => (await deliveredTo(vault, await memberNow(member))).cursors['consortium'],
    lacks: (member: string) => shared().filter((key) => !held(member).includes(key)),
    /** Keys that its receipts list, each as often as they do. */
    listed: async (member: string) =>
      (await world.receipts(member)).flatMap(({ value }) => value.delivered.map(({ key }) => key)).sort(),
  };
}

describe('a member that takes no chain files', () => {
  test('gets all else of the history, no byte of a file, and is whole', async () => {
    const { history, join, run, held, shared, receipts, status, cursor } = witnessWorld();
    await history.seal(bytes('a'), bytes('b'));
    await history.seal(bytes('c'));
    await join('bank-a', { chainFiles: false });
    expect(await run()).toMatchObject({ 'bank-a': { outcome: 'whole', totals: { files: 0 } } });
    expect(held('bank-a')).toEqual(shared().filter((key) => !isFile(key)));
    expect((await receipts('bank-a')).flatMap(({ value }) => value.delivered).map(({ kind }) => kind)).not.toContain(
      'file',
    );
    expect(await cursor('bank-a')).toMatchObject({ seq: 2, files: null });
    expect(await status('bank-a')).toMatchObject({ progress: 1, chains: [{ manifests: 0, blocks: 0 }] });
    expect(await run()).toMatchObject({ 'bank-a': { outcome: 'whole', objects: 0 } });
  });

  test('shares the walk with one that takes them, and the file is read once', async () => {
    const { history, join, run, reads, lacks } = witnessWorld();
    await history.seal(bytes('a'));
    await join('bank-a');
    const before = reads();
    await run();
    const one = reads() - before;
    await join('bank-b');
    await join('bank-c', { chainFiles: false });
    const then = reads();
    await run();
    // What tells how far each is is read besides.
    expect(reads() - then).toBeLessThan(2 * one + 2);
    expect([lacks('bank-a'), lacks('bank-b'), lacks('bank-c').every(isFile)]).toEqual([[], [], true]);
  });

  test('has a manifest only behind all else that it cites', async () => {
    const { history, join, run, putsOf, storeOf, vault } = witnessWorld();
    for (let n = 0; n < 5; n++) await history.seal(bytes(`${n}a`), bytes(`${n}b`));
    await join('bank-a', { chainFiles: false });
    const order: string[] = [];
    storeOf('bank-a').onPut = ({ key }) => void order.push(key);
    await run();
    expect(putsOf('bank-a')).toEqual([]);
    for (const key of order.filter((each) => /manifests\/\d+\.json$/.test(each))) {
      const { records, agreement } = JSON.parse(Buffer.from(vault.objects.get(key) ?? []).toString());
      for (const { key: cited } of [...records, agreement]) expect(order.slice(0, order.indexOf(key))).toContain(cited);
    }
  });

  test('and takes them from now on gets the files of all manifests, and nothing that it has', async () => {
    const { history, second, join, run, putsOf, take, shared, listed, status, cursor, lacks } = witnessWorld();
    for (let n = 0; n < 6; n++) await history.seal(bytes(`a ${n}`), bytes(`b ${n}`));
    await second.seal(bytes('c'));
    await join('bank-a', { chainFiles: false });
    await run();
    putsOf('bank-a');
    await take('bank-a', true);
    expect(await status('bank-a')).toMatchObject({
      progress: 0,
      chains: [{ block: null, manifests: 6, blocks: 12, behindSince: expect.any(String) }, { manifests: 1 }],
    });
    expect(await run({ objects: 5 })).toMatchObject({ 'bank-a': { outcome: 'more' } });
    expect([1, 2, 3, 4]).toContain((await cursor('bank-a'))?.files?.seq);
    await history.seal(bytes('new'));
    expect(await run()).toMatchObject({ 'bank-a': { outcome: 'whole', totals: { files: 14 } } });
    const ofNew = (key: string) => /slot-7|manifests\/00000007/.test(key);
    expect(putsOf('bank-a')).toEqual(shared().filter((key) => isFile(key) || ofNew(key)));
    expect(await cursor('bank-a')).not.toHaveProperty('files');
    expect([lacks('bank-a'), await listed('bank-a')]).toEqual([[], shared()]);
    expect(await run()).toMatchObject({ 'bank-a': { objects: 0 } });
  });

  test('and took them before keeps what it has, and gets only what it missed when it takes them again', async () => {
    const { history, join, run, putsOf, take, shared, held, listed } = witnessWorld();
    await history.seal(bytes('a'));
    await join('bank-a');
    await run();
    await take('bank-a', false);
    await history.seal(bytes('b'));
    await history.seal(bytes('c'));
    await run();
    expect(held('bank-a').filter(isFile)).toEqual(['chain/consortium/slot-1-block-0-0.rlp']);
    putsOf('bank-a');
    await take('bank-a', true);
    await run();
    expect(putsOf('bank-a')).toEqual(shared().filter((key) => /slot-[23]-.*\.rlp$/.test(key)));
    expect(await listed('bank-a')).toEqual(shared());
  });

  test('whichever way it turns in the middle of a manifest, nothing is put there twice', async () => {
    const { history, join, run, putsOf, take, shared, listed, lacks } = witnessWorld();
    await history.seal(...bodies('a', 30));
    await join('bank-a');
    for (const [chainFiles, objects] of [
      ...[[true, 9] as const, [false, 9] as const, [true, 4] as const, [false, 1000] as const],
      ...[[true, 7] as const, [false, 8] as const],
    ]) {
      await take('bank-a', chainFiles);
      await run({ objects });
      await history.seal(...bodies(`more ${chainFiles} ${objects}`, 3));
    }
    await take('bank-a', true);
    expect(await run()).toMatchObject({ 'bank-a': { outcome: 'whole' } });
    expect([lacks('bank-a'), putsOf('bank-a'), await listed('bank-a')]).toEqual([[], shared(), shared()]);
  });

  test('keeps in mind what it has of the next manifest while it is filled with the files of those before', async () => {
    const { history, join, run, putsOf, take, shared, listed, cursor } = witnessWorld();
    for (let n = 0; n < 6; n++) await history.seal(...bodies(`${n}`, 2));
    await join('bank-a', { chainFiles: false });
    await run();
    await history.seal(...bodies('large', 30));
    await run({ objects: 9 });
    await take('bank-a', true);
    await run({ objects: 2 });
    expect(await cursor('bank-a')).toMatchObject({ seq: 6, files: { seq: expect.any(Number) } });
    expect(await run()).toMatchObject({ 'bank-a': { outcome: 'whole' } });
    expect([putsOf('bank-a'), await listed('bank-a')]).toEqual([shared(), shared()]);
  });

  test('goes on so within the same delivery, when it says so while files are on their way', async () => {
    const { history, join, run, held, storeOf, take, later, shared } = witnessWorld();
    for (let n = 0; n < 12; n++) await history.seal(bytes(String(n)));
    await join('bank-a');
    storeOf('bank-a').onPut = ({ key }) => {
      later(3);
      if (key.endsWith('00000003.json')) void take('bank-a', false);
    };
    expect(await run()).toMatchObject({ 'bank-a': { outcome: 'whole' } });
    const files = held('bank-a').filter(isFile);
    expect([files.length >= 3, files.length <= 9]).toEqual([true, true]);
    expect(held('bank-a').filter((key) => !isFile(key))).toEqual(shared().filter((key) => !isFile(key)));
    storeOf('bank-a').onPut = () => {};
    await take('bank-a', true);
    expect(await run()).toMatchObject({ 'bank-a': { outcome: 'whole', objects: 12 - files.length } });
  });

  test('keeps no sound manifest from others by what it has of a damaged one', async () => {
    const { history, vault, join, run, take, act, held } = witnessWorld();
    for (const body of ['a', 'b']) await history.seal(bytes(body));
    await join('bank-a');
    await join('bank-b');
    await run();
    await take('bank-a', false);
    await act('bank-b', { what: 'set', environmentBackupTarget: false });
    for (const body of ['c', 'd']) await history.seal(bytes(body));
    await run();
    await take('bank-a', true);
    await act('bank-b', { what: 'set', environmentBackupTarget: true });
    vault.objects.set('chain/consortium/manifests/00000004.json', bytes('{}'));
    await expect(run()).rejects.toMatchObject({ kind: 'violation' });
    expect(held('bank-b')).toContain('chain/consortium/manifests/00000003.json');
  });

  test('is no laggard for what it went without: that is a backfill', async () => {
    const { history, join, run, take, later, status } = witnessWorld();
    await join('bank-a', { chainFiles: false });
    await history.seal(bytes('a'));
    await run();
    later(86_400 * 365);
    const alarms = async () => {
      const { member, lastReceiptAt, chains } = await status('bank-a');
      const watched = { ...member, lastReceiptAt, behindSince: chains.map(({ behindSince }) => behindSince) };
      return memberAlarms(watched, new Date('2027-11-01T01:00:00Z'));
    };
    expect(await alarms()).toEqual({});
    await take('bank-a', true);
    expect(await alarms()).toEqual({});
  });

  test('is not filled with files under other manifests than it has', async () => {
    const { history, join, run, take, held, vault } = witnessWorld();
    for (let n = 0; n < 3; n++) await history.seal(bytes(String(n)));
    await join('bank-a', { chainFiles: false });
    await run();
    await take('bank-a', true);
    // The vault was put back to an older state.
    for (const key of [...vault.objects.keys()]) if (/manifests\/00000003/.test(key)) vault.objects.delete(key);
    await expect(run()).rejects.toMatchObject({ name: 'HistoryDamaged' });
    expect(held('bank-a').filter(isFile)).toEqual([]);
  });
});
