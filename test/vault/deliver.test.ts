import { describe, expect, test } from '@jest/globals';
import { HistoryDamaged } from '../../core/chain.ts';
import { Instant } from '../../core/names.ts';
import { deliver } from '../../vault/deliver.ts';
import { actOn, readMember, readMembers } from '../../vault/members.ts';
import { deliveryWorld } from '../support/delivery-world.ts';
import { unprovenSigner } from '../support/toy-deliveries.ts';
import { VirtualTime } from '../support/virtual-time.ts';

const bytes = (text: string) => Buffer.from(text);

describe('delivery', () => {
  test('brings every member the same files, and a second one has nothing to do', async () => {
    const { vault, history, join, run, held, shared, storeOf } = deliveryWorld();
    await history.seal(bytes('a'), bytes('b'));
    await history.seal(bytes('c'));
    await join('bank-a', 'bank-b');
    expect(await run()).toMatchObject({ 'bank-a': { outcome: 'whole' }, 'bank-b': { outcome: 'whole' } });
    expect(held('bank-a')).toEqual(shared());
    for (const [key, body] of storeOf('bank-b').objects) expect(body).toEqual(vault.objects.get(key));
    expect(await run()).toMatchObject({ 'bank-a': { outcome: 'whole', objects: 0 } });
  });

  test('reads an object once for all members that are equally far', async () => {
    const { history, join, run, reads } = deliveryWorld();
    await history.seal(bytes('a'));
    await join('bank-a', 'bank-b', 'bank-c');
    const before = reads();
    await run();
    const three = reads() - before;
    await join('bank-d');
    const again = reads();
    await run();
    // The documents are read to learn what there is; the one file is read once.
    expect(three).toBeLessThan(2 * (reads() - again));
  });

  test('puts a manifest behind all that it cites, and the newer one behind the older', async () => {
    const { history, join, run, storeOf, vault } = deliveryWorld();
    for (let n = 0; n < 5; n++) await history.seal(bytes(`${n}a`), bytes(`${n}b`));
    await join('bank-a');
    const order: string[] = [];
    storeOf('bank-a').onPut = ({ key }) => void order.push(key);
    await run();
    const manifests = order.filter((key) => /manifests\/\d+\.json$/.test(key));
    expect(manifests).toEqual([...manifests].sort());
    for (const key of manifests) {
      const cited = JSON.parse(Buffer.from(vault.objects.get(key) ?? []).toString()).records as { key: string }[];
      for (const record of cited) {
        expect(order.indexOf(record.key)).toBeLessThan(order.indexOf(key));
        const file = record.key.replace('records/', '').replace(/\.json$/, '');
        expect(order.indexOf(file)).toBeGreaterThanOrEqual(0);
        expect(order.indexOf(file)).toBeLessThan(order.indexOf(key));
      }
    }
  });

  test('has the files of several manifests on their way at once, and each manifest still behind the one before', async () => {
    const { history, join, run, storeOf, shared, held } = deliveryWorld();
    for (let n = 0; n < 12; n++) await history.seal(bytes(String(n)));
    await join('bank-a');
    let [now, most] = [0, 0];
    const seals: string[] = [];
    const store = storeOf('bank-a');
    const put = store.put.bind(store);
    store.put = async (item, ...rest) => {
      now += 1;
      most = Math.max(most, now);
      if (item.key.endsWith('.rlp')) await new Promise((done) => setTimeout(done, 5));
      if (item.kind === 'seal') seals.push(item.key);
      return put(item, ...rest).finally(() => {
        now -= 1;
      });
    };
    await run({ atOnce: 8 });
    expect(most).toBeGreaterThan(4);
    expect(seals).toEqual(seals.toSorted((a, b) => Number(/\d{8}/.exec(a)) - Number(/\d{8}/.exec(b))));
    expect(held('bank-a')).toEqual(shared());
  });

  test('seals a manifest once all that it cites is there, whatever is on its way of those behind it', async () => {
    const { history, join, run, storeOf, shared, held } = deliveryWorld();
    for (let n = 0; n < 6; n++) await history.seal(bytes(String(n)));
    await join('bank-a');
    const store = storeOf('bank-a');
    const put = store.put.bind(store);
    const sealed = Promise.withResolvers<void>();
    store.put = async (item, ...rest) => {
      if (item.key.endsWith('.rlp') && !item.key.includes('slot-1-')) await sealed.promise;
      return put(item, ...rest).finally(() => item.key.endsWith('manifests/00000001.json') && sealed.resolve());
    };
    await run({ atOnce: 3 });
    expect(held('bank-a')).toEqual(shared());
  });

  test('brings 10,000 files with a manifest each within an hour, if a copy takes 0.5 s and any other call 0.05', async () => {
    const { history, join, storeOf, vault, registry } = deliveryWorld();
    for (let n = 0; n < 100; n++) await history.seal(bytes(String(n)));
    await join('bank-a');
    const time = new VirtualTime();
    const signal = AbortSignal.any([]);
    const slow = Object.assign(Object.create(vault) as typeof vault, {
      get: async (key: string) => (await time.after(50, signal), vault.get(key)),
      stat: async (key: string) => (await time.after(50, signal), vault.stat(key)),
      putOnce: async (key: string, body: Uint8Array) => (await time.after(50, signal), vault.putOnce(key, body)),
      list: async function* (...asked: Parameters<typeof vault.list>) {
        await time.after(50, signal);
        yield* vault.list(...asked);
      },
    });
    const store = storeOf('bank-a');
    const put = store.put.bind(store);
    store.put = async (item, ...rest) => (
      await time.after(item.kind === 'file' ? 550 : 50, signal), put(item, ...rest)
    );
    const members = (await readMembers(vault)).members.map(({ value }) => value);
    const ports = { ...registry, clock: time.clock, vault: slow, signer: unprovenSigner, destinationOf: () => store };
    await time.drive(deliver({ ...ports, signal, timer: time }, members, { atOnce: 32 }));
    // What a member cannot have at once are the two halves of each seal, and those of the seals before it.
    expect(time.now() * 100).toBeLessThan(3_600_000 / 2);
  });

  test('gives nothing to a member that is no backup target, keeps what it has, and sends the pause after it', async () => {
    const { history, register, act, run, held, shared } = deliveryWorld();
    await history.seal(bytes('a'));
    await register('bank-a');
    expect(await run()).toMatchObject({ 'bank-a': { outcome: 'off', objects: 0 } });
    expect(held('bank-a')).toEqual([]);
    await act('bank-a', { what: 'set', environmentBackupTarget: true });
    await run();
    const whole = held('bank-a');
    expect(whole).toEqual(shared());
    await act('bank-a', { what: 'set', environmentBackupTarget: false });
    await history.seal(bytes('b'));
    expect(await run()).toMatchObject({ 'bank-a': { outcome: 'off' } });
    expect(held('bank-a')).toEqual(whole);
    await act('bank-a', { what: 'set', environmentBackupTarget: true });
    expect(await run()).toMatchObject({ 'bank-a': { outcome: 'whole', objects: shared().length - whole.length } });
    expect(held('bank-a')).toEqual(shared());
  });

  test.each(['away', 'hangs'] as const)('a member that %s keeps nobody waiting', async (fault) => {
    const { history, join, run, held, shared, storeOf, later } = deliveryWorld();
    for (let n = 0; n < 10; n++) await history.seal(bytes(String(n)));
    await join('bank-a', 'bank-b', 'bank-c');
    storeOf('bank-b').fault = fault;
    const patience = AbortSignal.timeout(1500);
    const ends = run({}, patience).catch((error: unknown) => error);
    if (fault === 'away')
      expect(await ends).toMatchObject({ 'bank-b': { outcome: 'failed', fault: { name: 'MemberUnavailable' } } });
    else await ends;
    expect(held('bank-a')).toEqual(shared());
    expect(held('bank-c')).toEqual(shared());
    storeOf('bank-b').fault = undefined;
    later(61);
    expect(await run()).toMatchObject({ 'bank-b': { outcome: 'whole' } });
    expect(held('bank-b')).toEqual(shared());
  });

  test('a member that fails is tried again only after a while, which grows, and recovers by itself', async () => {
    const { history, join, run, storeOf, later, vault } = deliveryWorld();
    await history.seal(bytes('a'));
    await join('bank-a');
    storeOf('bank-a').fault = 'away';
    await run();
    expect(await run()).toMatchObject({ 'bank-a': { outcome: 'later', fault: { name: 'MemberUnavailable' } } });
    later(61);
    expect(await run()).toMatchObject({ 'bank-a': { outcome: 'failed' } });
    later(61);
    expect(await run()).toMatchObject({ 'bank-a': { outcome: 'later' } });
    expect((await readMember(vault, 'bank-a'))?.value.retry?.failures).toBe(2);
    storeOf('bank-a').fault = undefined;
    later(60);
    expect(await run()).toMatchObject({ 'bank-a': { outcome: 'whole' } });
    expect((await readMember(vault, 'bank-a'))?.value).toMatchObject({ state: 'active', fault: null, retry: null });
  });

  test('a member that has failed is tried at once when a person wants it so, and one that is suspended is not', async () => {
    const { history, join, run, act, storeOf } = deliveryWorld();
    await history.seal(bytes('a'));
    await join('bank-a', 'bank-b');
    storeOf('bank-a').fault = 'away';
    await run();
    await act('bank-b', { what: 'suspend', fault: { name: 'X', message: 'm', remedy: 'r' } });
    storeOf('bank-a').fault = undefined;
    expect(await run()).toMatchObject({ 'bank-a': { outcome: 'later' } });
    expect(await run({ now: true })).toMatchObject({
      ...{ 'bank-a': { outcome: 'whole' }, 'bank-b': { outcome: 'suspended', objects: 0 } },
    });
  });

  test('a member that refuses us is suspended until a person has looked', async () => {
    const { history, join, run, storeOf, later, vault, registry } = deliveryWorld();
    await history.seal(bytes('a'));
    await join('bank-a');
    storeOf('bank-a').fault = 'refuses';
    expect(await run()).toMatchObject({ 'bank-a': { outcome: 'suspended', fault: { name: 'ACCESS_DENIED' } } });
    storeOf('bank-a').fault = undefined;
    later(100_000);
    expect(await run()).toMatchObject({ 'bank-a': { outcome: 'suspended', objects: 0 } });
    const at = Instant.parse('2026-11-02T00:00:00.000Z');
    await expect(actOn(registry, 'bank-a', { what: 'resume' })).rejects.toMatchObject({ name: 'MemberActRefused' });
    await actOn(registry, 'bank-a', { what: 'check', report: { at, faults: [] } });
    await actOn(registry, 'bank-a', { what: 'resume' });
    expect((await readMember(vault, 'bank-a'))?.value.state).toBe('active');
    expect(await run()).toMatchObject({ 'bank-a': { outcome: 'whole' } });
  });

  test('an object that is there with other bytes is never overwritten, and suspends the member as TAMPERED', async () => {
    const { history, join, run, storeOf } = deliveryWorld();
    await history.seal(bytes('a'));
    await join('bank-a');
    const key = 'chain/consortium/slot-1-block-0-0.rlp';
    storeOf('bank-a').objects.set(key, bytes('b'));
    expect(await run()).toMatchObject({ 'bank-a': { outcome: 'suspended', fault: { name: 'TAMPERED' } } });
    expect(storeOf('bank-a').objects.get(key)).toEqual(bytes('b'));
    expect([...storeOf('bank-a').objects.keys()].filter((each) => each.includes('manifests/'))).toEqual([]);
  });

  test('bytes that are not what was sealed go to nobody, and are no member’s fault', async () => {
    const { history, join, run, held, vault } = deliveryWorld();
    await history.seal(bytes('a'));
    await history.seal(bytes('b'));
    await join('bank-a', 'bank-b');
    const key = 'chain/consortium/slot-2-block-1-1.rlp';
    vault.objects.set(key, bytes('c'));
    await expect(run()).rejects.toBeInstanceOf(HistoryDamaged);
    expect(held('bank-a')).not.toContain(key);
    expect(held('bank-b')).toContain('chain/consortium/manifests/00000001.json');
    expect(held('bank-b')).not.toContain('chain/consortium/manifests/00000002.json');
    expect((await readMember(vault, 'bank-a'))?.value.state).toBe('active');
  });

  test('an answer that was lost costs nothing but the question, and the receipts still say what lies there', async () => {
    const { history, join, run, held, shared, storeOf, later, receipts } = deliveryWorld();
    await history.seal(bytes('a'), bytes('b'), bytes('c'));
    await join('bank-a');
    storeOf('bank-a').fault = 'loses answers';
    await run();
    storeOf('bank-a').fault = undefined;
    later(61);
    await run();
    expect(held('bank-a')).toEqual(shared());
    const said = (await receipts('bank-a')).flatMap(({ value }) => value.delivered.map(({ key }) => key));
    expect(said.sort()).toEqual(shared());
  });

  test('goes on in bounded batches, each with a receipt that is chained to the one before', async () => {
    const { history, join, run, held, shared, receipts } = deliveryWorld();
    await history.seal(...Array.from({ length: 20 }, (_, n) => bytes(String(n))));
    await join('bank-a');
    const first = await run({ objects: 7 });
    expect(first).toMatchObject({ 'bank-a': { outcome: 'more' } });
    expect(held('bank-a')).not.toContain('chain/consortium/manifests/00000001.json');
    for (let turn = 0; turn < 10; turn++) await run({ objects: 7 });
    expect(held('bank-a')).toEqual(shared());
    const chain = (await receipts('bank-a')).toReversed();
    expect(chain.length).toBeGreaterThan(3);
    for (const [at, { value }] of chain.entries()) expect(value.previous).toBe(chain[at - 1]?.sha256 ?? null);
    expect(chain.at(-1)?.value.totals).toMatchObject({ objects: shared().length, files: 20, unproven: 0 });
  });

  test('a member that registers another destination is filled from the beginning', async () => {
    const { history, join, run, held, shared, storeOf } = deliveryWorld();
    await history.seal(bytes('a'));
    await join('bank-a');
    await run();
    storeOf('bank-a').objects.clear();
    expect(await run()).toMatchObject({ 'bank-a': { objects: 0 } });
    await join('bank-a');
    await run();
    expect(held('bank-a')).toEqual(shared());
  });

  test.each([
    { what: 'set', environmentBackupTarget: false },
    { what: 'leave', byItself: true },
  ] as const)(
    'a member that is no target any more gets nothing further while a delivery is under way: %j',
    async (off) => {
      const { history, join, run, held, storeOf, act, later, shared } = deliveryWorld();
      for (let n = 0; n < 8; n++) await history.seal(bytes(String(n)));
      await join('bank-a');
      storeOf('bank-a').onPut = ({ key }) => {
        later(3);
        if (key.endsWith('00000003.json')) void act('bank-a', off);
      };
      expect(await run()).toMatchObject({ 'bank-a': { outcome: 'off' } });
      expect(held('bank-a')).toContain('chain/consortium/manifests/00000003.json');
      expect(held('bank-a').length).toBeLessThan(shared().length);
    },
  );

  test('a member that wants fewer chains while a delivery is under way gets nothing further of the others', async () => {
    const { history, second, join, run, held, storeOf, act, later, shared } = deliveryWorld();
    for (let n = 0; n < 8; n++) await history.seal(bytes(String(n)));
    for (let n = 0; n < 3; n++) await second.seal(bytes(String(n)));
    await join('bank-a');
    storeOf('bank-a').onPut = ({ key }) => {
      later(3);
      if (key === 'chain/consortium/manifests/00000003.json') void act('bank-a', { what: 'set', chains: ['second'] });
    };
    expect(await run()).toMatchObject({ 'bank-a': { outcome: 'whole' } });
    const of = (chain: string) => held('bank-a').filter((key) => key.startsWith(`chain/${chain}/`));
    const all = (chain: string) => shared().filter((key) => key.startsWith(`chain/${chain}/`));
    expect(of('second')).toEqual(all('second'));
    expect(of('consortium')).toContain('chain/consortium/manifests/00000003.json');
    expect(of('consortium').length).toBeLessThan(all('consortium').length);
    expect(of('consortium')).not.toContain('chain/consortium/manifests/00000008.json');
    await act('bank-a', { what: 'set', chains: null });
    await run();
    expect(held('bank-a')).toEqual(shared());
  });

  test('a chain that a member no longer wants is not begun by the very object that would be next', async () => {
    const { history, second, join, run, held, storeOf, act, later } = deliveryWorld();
    await history.seal(bytes('a'));
    await second.seal(bytes('z'));
    await join('bank-a');
    storeOf('bank-a').onPut = ({ key }) => {
      if (!key.startsWith('keys/')) return;
      later(6);
      void act('bank-a', { what: 'set', chains: ['second'] });
    };
    expect(await run({ atOnce: 1 })).toMatchObject({ 'bank-a': { outcome: 'whole' } });
    expect(held('bank-a').filter((key) => key.startsWith('chain/consortium/'))).toEqual([]);
    expect(held('bank-a')).toContain('chain/second/manifests/00000001.json');
  });

  test('one that wants fewer chains for a moment is not said to be whole, and comes to be with the next delivery', async () => {
    const { history, second, join, run, held, storeOf, act, later, shared } = deliveryWorld();
    await history.seal(bytes('a'));
    await second.seal(bytes('z'));
    await join('bank-a');
    storeOf('bank-a').onPut = ({ key }) => {
      if (key.startsWith('keys/')) {
        later(6);
        void act('bank-a', { what: 'set', chains: ['second'] });
      }
      if (key === 'chain/second/manifests/00000001.json') void act('bank-a', { what: 'set', chains: null });
    };
    expect(await run({ atOnce: 1 })).toMatchObject({ 'bank-a': { outcome: 'more' } });
    expect(await run()).toMatchObject({ 'bank-a': { outcome: 'whole' } });
    expect(held('bank-a')).toEqual(shared());
  });

  test('a chain that a member has come to want while a delivery is under way comes with the next one', async () => {
    const { history, second, join, run, held, storeOf, act, later, shared } = deliveryWorld();
    for (let n = 0; n < 4; n++) await history.seal(bytes(String(n)));
    await second.seal(bytes('z'));
    await join('bank-a');
    await act('bank-a', { what: 'set', chains: ['consortium'] });
    storeOf('bank-a').onPut = ({ key }) => {
      later(3);
      if (key === 'chain/consortium/manifests/00000001.json') void act('bank-a', { what: 'set', chains: null });
    };
    await run();
    expect(held('bank-a')).toEqual(shared().filter((key) => !key.startsWith('chain/second/')));
    await run();
    expect(held('bank-a')).toEqual(shared());
  });

  test('nothing goes out but chain files, their documents, and what verifies them', async () => {
    const { history, join, run, held, vault } = deliveryWorld();
    await history.seal(bytes('a'));
    for (const key of [
      'sets/validator/manifests/00000001.json',
      'keys/secret.key',
      'leases/consortium/x/00000001.json',
    ])
      vault.objects.set(key, bytes('private'));
    await join('bank-a');
    await run();
    expect(held('bank-a').every((key) => /^(chain\/consortium\/|keys\/[0-9a-f]{64}\.|format\.json$)/.test(key))).toBe(
      true,
    );
  });
});
