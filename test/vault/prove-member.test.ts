import { describe, expect, test } from '@jest/globals';
import { canonicalBytes } from '../../core/canonical.ts';
import { MemberUnavailable } from '../../core/delivery.ts';
import { Instant } from '../../core/names.ts';
import { READ_BACK_DAYS } from '../../core/read-back.ts';
import { sha256 } from '../../io/digest.ts';
import { memberStatus } from '../../vault/member-status.ts';
import { readMember } from '../../vault/members.ts';
import { readBacksOf } from '../../vault/read-backs.ts';
import { deliveryWorld } from '../support/delivery-world.ts';

const DAY = 86_400;
const HOUR = 3600;

/** A member that lets us read, with a few dozen objects. */
async function readable(files = 6) {
  const world = deliveryWorld();
  for (let n = 0; n < files; n++) await world.history.seal(Buffer.from(`file ${n}`));
  await world.joinReadable('bank-a');
  await world.run();
  const store = world.storeOf('bank-a');
  const member = async () => {
    const found = await readMember(world.vault, 'bank-a');
    if (found === undefined) throw new Error('bank-a is gone');
    return found.value;
  };
  const newest = async () => (await readBacksOf(world.vault, await member())).newest;
  const week = async (bytes = 1e9) => {
    const ends = [];
    for (let n = 0; n < READ_BACK_DAYS; n++) {
      ends.push(await world.readBack('bank-a', { bytes }));
      world.later(DAY);
    }
    return ends;
  };
  return { ...world, store, member, newest, week, status: async () => memberStatus(world.vault, await member()) };
}

describe('what was delivered is read back', () => {
  test('each object once a week, a share of them every day, and no more than once a day', async () => {
    const { store, week, held, readBack, later } = await readable();
    const ends = await week();
    expect([...store.keysRead].sort()).toEqual(held('bank-a'));
    expect(new Set(ends.map(({ outcome }) => outcome))).toEqual(new Set(['whole']));
    expect(ends.filter(({ objects }) => objects > 0).length).toBeGreaterThan(3);
    later(-DAY);
    later(HOUR);
    expect(await readBack('bank-a')).toEqual({ outcome: 'idle', objects: 0, bytes: 0 });
    expect(store.keysRead).toHaveLength(held('bank-a').length);
    later(DAY);
    await readBack('bank-a');
    expect(store.keysRead.length).toBe(held('bank-a').length + (ends[0]?.objects ?? NaN));
  });

  test('in turns of bounded bytes, each of which goes on where the last one ended', async () => {
    const { store, readBack, later, held, newest } = await readable(12);
    let most = 0;
    for (let turn = 0; turn < READ_BACK_DAYS * 24; turn++) {
      most = Math.max(most, (await readBack('bank-a', { bytes: 2_000 })).bytes);
      later(HOUR);
    }
    expect([...store.keysRead].sort()).toEqual(held('bank-a'));
    expect([most > 0, most <= 2_000]).toEqual([true, true]);
    expect(await newest()).toMatchObject({ whole: true, fault: null, unread: 0 });
  });

  test('but for what is larger than a turn may read, which is told', async () => {
    const { store, history, run, readBack, later, held, newest } = await readable();
    await history.seal(Buffer.alloc(100_000));
    await run();
    const unread: number[] = [];
    for (let n = 0; n < READ_BACK_DAYS; n++, later(DAY)) {
      expect((await readBack('bank-a', { bytes: 50_000 })).outcome).toBe('whole');
      unread.push((await newest())?.unread ?? NaN);
    }
    expect(unread.toSorted()).toEqual([0, 0, 0, 0, 0, 0, 1]);
    expect(store.keysRead).toHaveLength(held('bank-a').length - 1);
  });

  test('of a week that was slept through only once', async () => {
    const { store, readBack, later, held } = await readable();
    await readBack('bank-a');
    later(30 * DAY);
    store.keysRead.length = 0;
    expect((await readBack('bank-a')).outcome).toBe('whole');
    expect([...store.keysRead].sort()).toEqual(held('bank-a'));
  });

  test('and a byte that is another one is TAMPERED: the member is suspended, and its object stays as it is', async () => {
    const { store, week, member, newest, readBack, act, later } = await readable();
    const [key = ''] = [...store.objects.keys()].filter((each) => each.endsWith('.rlp'));
    const right = store.objects.get(key) as Uint8Array;
    const wrong = Buffer.from(right.map((byte, n) => (n === 0 ? byte ^ 1 : byte)));
    store.objects.set(key, wrong);
    const ends = await week();
    const fault = { name: 'TAMPERED', message: expect.stringContaining(key) };
    expect(ends.filter(({ outcome }) => outcome === 'suspended')).toMatchObject([{ fault }]);
    expect(await member()).toMatchObject({ state: 'suspended', fault });
    expect(await newest()).toMatchObject({ whole: false, fault: { name: 'TAMPERED', key } });
    expect(store.objects.get(key)).toBe(wrong);
    store.objects.set(key, right);
    const report = { ...(await member())?.check, at: Instant.parse('2026-11-02T00:00:00.000Z'), faults: [] };
    await act('bank-a', { what: 'check', report }, { what: 'resume' });
    store.keysRead.length = 0;
    later(HOUR);
    expect((await readBack('bank-a')).outcome).toBe('whole');
    expect(store.keysRead[0]).toBe(key);
    expect((await member()).state).toBe('active');
  });

  test.each([
    ['longer', Buffer.from('file 0 and more')],
    ['shorter', Buffer.from('file')],
    ['empty', Buffer.alloc(0)],
  ])('and an object that is %s is TAMPERED', async (_, bytes) => {
    const { store, week, member } = await readable(1);
    const [key = ''] = [...store.objects.keys()].filter((each) => each.endsWith('.rlp'));
    store.objects.set(key, bytes);
    await week();
    expect((await member()).fault?.name).toBe('TAMPERED');
  });

  test('and an object without an end is not read to it', async () => {
    const { store, week, member } = await readable(1);
    store.read = async () =>
      (async function* () {
        for (;;) yield Buffer.alloc(1_000);
      })();
    await week();
    expect((await member()).fault?.name).toBe('TAMPERED');
  });

  test('and one that is gone is MISSING_AT_MEMBER, and is not put there again', async () => {
    const { store, week, member, run } = await readable();
    const [key = ''] = [...store.objects.keys()].filter((each) => each.endsWith('.rlp'));
    store.objects.delete(key);
    await week();
    expect(await member()).toMatchObject({
      state: 'suspended',
      fault: { name: 'MISSING_AT_MEMBER', message: expect.stringContaining(key) },
    });
    await run();
    expect(store.objects.has(key)).toBe(false);
  });

  test('never where the member does not let us; one that takes it back is no fault, and its check says so', async () => {
    const { store, readBack, member, join, later, storeOf } = await readable();
    await join('bank-b');
    expect((await readBack('bank-b')).outcome).toBe('idle');
    expect(storeOf('bank-b').keysRead).toEqual([]);
    store.grantsReads = false;
    later(DAY);
    for (let n = 0; n < READ_BACK_DAYS; n++, later(DAY)) await readBack('bank-a');
    expect(await member()).toMatchObject({ state: 'active', fault: null, check: { faults: [], reads: false } });
  });

  test('later, where its store is away: it is degraded, and tried again by itself', async () => {
    const { store, readBack, member, later } = await readable();
    store.fault = 'away';
    for (let n = 0; n < READ_BACK_DAYS && (await member()).state === 'active'; n++, later(DAY))
      await readBack('bank-a');
    expect(await member()).toMatchObject({ state: 'degraded', fault: { name: MemberUnavailable.name } });
  });

  test('anew at another destination: proofs of the one before do not count', async () => {
    const { store, readBack, joinReadable, run, newest } = await readable();
    await readBack('bank-a');
    const [before, count] = [await newest(), store.keysRead.length];
    await joinReadable('bank-a');
    await run();
    await readBack('bank-a');
    const after = await newest();
    expect([after?.seq, after?.since === before?.since]).toEqual([2, false]);
    expect(store.keysRead).toHaveLength(2 * count);
  });
});

describe('a proof by reading', () => {
  test('is signed, and chained to the one before', async () => {
    const { vault, readBack, later } = await readable();
    await readBack('bank-a');
    later(DAY);
    await readBack('bank-a');
    const [first, second] = [1, 2].map((n) => Buffer.from(vault.objects.get(`proofs/bank-a/0000000${n}.json`) ?? []));
    expect(JSON.parse(String(second)).previous).toBe(sha256(first ?? Buffer.of()));
    for (const [n, bytes] of [first, second].entries()) {
      expect(vault.objects.has(`proofs/bank-a/0000000${n + 1}-${sha256(bytes ?? Buffer.of())}.sig`)).toBe(true);
    }
  });

  test('that was edited is refused by name', async () => {
    const { vault, readBack, later } = await readable();
    await readBack('bank-a');
    const key = 'proofs/bank-a/00000001.json';
    const edited = {
      ...JSON.parse(Buffer.from(vault.objects.get(key) ?? []).toString()),
      fault: null,
      whole: true,
      day: 99_999,
    };
    vault.objects.set(key, Buffer.from(canonicalBytes(edited)));
    later(DAY);
    await expect(readBack('bank-a')).rejects.toMatchObject({ name: 'NotADocument' });
  });

  test('makes objects that were there before proven, each once', async () => {
    const { store, joinReadable, run, week, status } = await readable();
    const put = store.put.bind(store);
    // A bucket does not look: it says no more than that the key is taken.
    store.put = async (...asked) => {
      const stored = await put(...asked);
      return stored.outcome === 'same' ? { outcome: 'there' } : stored;
    };
    await joinReadable('bank-a');
    await run();
    const { objects, unproven } = (await status()).totals;
    expect([unproven, unproven]).toEqual([objects, store.objects.size]);
    await week();
    expect((await status()).totals).toMatchObject({ objects, unproven: 0 });
    await week();
    expect((await status()).totals.unproven).toBe(0);
  });
});
