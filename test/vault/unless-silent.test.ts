import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type Deliverable, MemberUnavailable } from '../../core/delivery.ts';
import type { Member } from '../../core/members.ts';
import { sha256 } from '../../io/digest.ts';
import { checkMember } from '../../vault/check-members.ts';
import { readMember } from '../../vault/members.ts';
import { SILENT_MINUTES, unlessSilent } from '../../vault/unless-silent.ts';
import { MemberStore } from '../fakes/member-store.ts';
import { deliveryWorld } from '../support/delivery-world.ts';
import { VirtualTime } from '../support/virtual-time.ts';

const bytes = (text: string) => Buffer.from(text);
const LIMIT = SILENT_MINUTES * 60_000;
const never = AbortSignal.any([]);
const turnOver = () => new Promise((resolve) => setImmediate(resolve));

const unhandled: unknown[] = [];
const note = (reason: unknown) => void unhandled.push(reason);
beforeEach(() => void process.on('unhandledRejection', note));
afterEach(async () => {
  await turnOver();
  process.off('unhandledRejection', note);
  expect(unhandled.splice(0)).toEqual([]);
});

describe('a delivery to a store that never answers', () => {
  const healthy = Array.from({ length: 9 }, (_, n) => `bank-${n}`);

  test('ends for everybody: nine are whole and not delayed, the one is degraded by name', async () => {
    const { vault, history, join, run, held, shared, storeOf, later } = deliveryWorld();
    for (let n = 0; n < 5; n++) await history.seal(bytes(String(n)));
    await join(...healthy, 'gone');
    // These two go together, and one of them is to recover before the other is given up.
    storeOf('bank-0').fault = 'away';
    storeOf('gone').fault = 'away';
    await run();
    storeOf('bank-0').fault = undefined;
    storeOf('gone').fault = 'stuck';
    later(61);
    const time = new VirtualTime();
    const meanwhile = time.after(LIMIT / 2, never).then(() => readMember(vault, 'bank-0'));
    const last = new Map<string, number>();
    for (const id of healthy) storeOf(id).onPut = () => void last.set(id, time.now());
    const ends = await time.drive(run({}, never, time));
    for (const id of healthy) expect([ends[id]?.outcome, held(id)]).toEqual(['whole', shared()]);
    expect((await meanwhile)?.value).toMatchObject({ state: 'active', what: 'recover' });
    expect(Math.max(...last.values())).toBeLessThan(LIMIT / 10);
    expect(ends['gone']).toMatchObject({ outcome: 'failed', fault: { name: 'MemberUnavailable' } });
    expect(ends['gone']?.fault?.message).toContain(`has not answered for ${SILENT_MINUTES} minutes`);
    expect(time.now()).toBeLessThan(1.2 * LIMIT);
    expect((await readMember(vault, 'gone'))?.value).toMatchObject({ state: 'degraded', retry: { failures: 2 } });
    later(200);
    storeOf('gone').release();
    await turnOver();
    expect(await run()).toMatchObject({ gone: { outcome: 'whole' } });
    expect(held('gone')).toEqual(shared());
  });

  test('writes the receipt of what was there before, and tells what comes later to nobody', async () => {
    const { history, join, run, held, shared, storeOf, receipts, later } = deliveryWorld();
    for (let n = 0; n < 5; n++) await history.seal(bytes(String(n)));
    await join('bank-a');
    const store = storeOf('bank-a');
    store.onPut = ({ key }) => {
      if (key.endsWith('00000003.json')) store.fault = 'stuck';
    };
    const time = new VirtualTime();
    expect(await time.drive(run({}, never, time))).toMatchObject({ 'bank-a': { outcome: 'failed' } });
    const said = async () => (await receipts('bank-a')).flatMap(({ value }) => value.delivered.map(({ key }) => key));
    expect((await said()).toSorted()).toEqual(held('bank-a'));
    expect(held('bank-a')).toContain('chain/consortium/manifests/00000002.json');
    const before = await said();
    store.onPut = () => {};
    store.release();
    await turnOver();
    expect(await said()).toEqual(before);
    later(61);
    expect(await run()).toMatchObject({ 'bank-a': { outcome: 'whole' } });
    expect(held('bank-a')).toEqual(shared());
  });

  test('is not tried again while a call that was given up has not come back: at once, and by no further call', async () => {
    const { history, join, run, held, shared, storeOf, later } = deliveryWorld();
    await history.seal(bytes('a'));
    await join('bank-a');
    const store = storeOf('bank-a');
    store.fault = 'stuck';
    const time = new VirtualTime();
    await time.drive(run({}, never, time));
    const calls = store.held.length;
    expect(calls).toBeGreaterThan(0);
    store.fault = undefined;
    later(61);
    const since = time.now();
    expect(await time.drive(run({}, never, time))).toMatchObject({ 'bank-a': { outcome: 'failed' } });
    expect([time.now(), held('bank-a'), store.held.length]).toEqual([since, [], calls]);
    store.release();
    await turnOver();
    later(200);
    expect(await run()).toMatchObject({ 'bank-a': { outcome: 'whole' } });
    expect(held('bank-a')).toEqual(shared());
  });

  test('leaves the member’s check to the next hour', async () => {
    const { vault, register, registry, storeOf, boundedBy } = deliveryWorld();
    await register('bank-a');
    storeOf('bank-a').fault = 'stuck';
    const time = new VirtualTime();
    const member = (await readMember(vault, 'bank-a'))?.value as Member;
    const check = checkMember({ ...registry, destinationOf: boundedBy(time) }, member);
    await expect(time.drive(check)).rejects.toBeInstanceOf(MemberUnavailable);
    expect(time.now()).toBe(LIMIT);
  });
});

describe('a destination that may be silent', () => {
  const item: Deliverable = { key: 'a', size: 2, sha256: sha256(bytes('ab')), kind: 'file' };
  const made = () => {
    const [time, store, stuck] = [new VirtualTime(), new MemberStore('bank-a'), new Set<Promise<unknown>>()];
    store.grantsReads = true;
    return { time, store, stuck, destination: unlessSilent(store, { timer: time, stuck }) };
  };

  test('is not blamed for bytes that we are slow to give', async () => {
    const { time, destination, store } = made();
    async function* slow() {
      for (const part of ['a', 'b']) {
        await time.after(3 * LIMIT, never);
        yield bytes(part);
      }
    }
    expect(await time.drive(destination.put(item, slow, never))).toEqual({ outcome: 'written' });
    expect(store.objects.get('a')).toEqual(bytes('ab'));
  });

  test('may take as long as it likes while it takes bytes, or puts other objects', async () => {
    const { time, destination, store } = made();
    const put = store.put.bind(store);
    store.put = async (asked, body, signal) => {
      if (asked.key === 'slow') await time.after(3 * LIMIT, never);
      else for await (const _ of body()) await time.after(0.9 * LIMIT, never);
      return put(asked, body, signal);
    };
    async function* parts() {
      for (const part of ['a', 'b', '', '', '']) yield bytes(part);
    }
    const both = [destination.put({ ...item, key: 'slow' }, parts, never), destination.put(item, parts, never)];
    expect(await time.drive(Promise.all(both))).toEqual([{ outcome: 'written' }, { outcome: 'written' }]);
  });

  test('gets no further byte once it was given up, so that nothing is taken for whole', async () => {
    const { time, destination, store, stuck } = made();
    const go = Promise.withResolvers<void>();
    let end: unknown;
    store.put = async (_, body) => {
      try {
        for await (const _chunk of body()) await go.promise;
      } catch (error) {
        end = error;
      }
      return { outcome: 'written' };
    };
    async function* parts() {
      yield bytes('a');
      yield bytes('b');
    }
    await expect(time.drive(destination.put(item, parts, never))).rejects.toBeInstanceOf(MemberUnavailable);
    expect(stuck.size).toBe(1);
    go.resolve();
    await turnOver();
    expect(end).toBeInstanceOf(MemberUnavailable);
    expect(stuck.size).toBe(0);
  });

  test.each([
    ['check', (of: ReturnType<typeof unlessSilent>) => of.check()],
    ['mayRead', (of) => of.mayRead?.(never)],
    ['read', (of) => of.read?.('a', never)],
    ['put', (of) => of.put(item, async function* () {}, never)],
  ] as [string, (of: ReturnType<typeof unlessSilent>) => Promise<unknown>][])(
    '%s ends with MemberUnavailable, though its call ends badly later',
    async (_, ask) => {
      const { time, destination, store, stuck } = made();
      store.fault = 'stuck';
      await expect(time.drive(ask(destination))).rejects.toMatchObject({
        ...{ name: 'MemberUnavailable', remedy: expect.stringContaining('mount') },
      });
      expect(time.now()).toBe(LIMIT);
      await expect(ask(destination)).rejects.toBeInstanceOf(MemberUnavailable);
      expect(store.held).toHaveLength(1);
      store.release(new Error('the mount is gone for good'));
      await turnOver();
      expect(stuck.size).toBe(0);
    },
  );

  test('a read that stops half way ends with MemberUnavailable', async () => {
    const { time, destination, store } = made();
    store.read = async () =>
      (async function* () {
        yield bytes('a');
        await new Promise(() => {});
      })();
    const read = await time.drive(Promise.resolve(destination.read?.('a', never)));
    await expect(time.drive(Array.fromAsync(read ?? []))).rejects.toBeInstanceOf(MemberUnavailable);
  });
});
