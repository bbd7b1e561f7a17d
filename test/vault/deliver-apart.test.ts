import { describe, expect, test } from '@jest/globals';
import { HistoryDamaged } from '../../core/chain.ts';
import type { Member } from '../../core/members.ts';
import { sha256 } from '../../io/digest.ts';
import { checkMember } from '../../vault/check-members.ts';
import { type DeliverPorts, deliver } from '../../vault/deliver.ts';
import { appendReceipt, deliveredTo } from '../../vault/deliveries.ts';
import { NotADocument, putSigned } from '../../vault/documents.ts';
import { readMember } from '../../vault/members.ts';
import { deliveryWorld } from '../support/delivery-world.ts';
import { newToySigner, unprovenSigner } from '../support/toy-deliveries.ts';
import { newKeys } from '../support/toy-sets.ts';
import { VirtualTime } from '../support/virtual-time.ts';

const bytes = (text: string) => Buffer.from(text);

describe('what is wrong with one chain, one member or one registration', () => {
  test.each([
    'chain/consortium/manifests/00000002.json',
    'chain/consortium/records/slot-2-block-1-1.rlp.json',
    'chain/consortium/slot-2-block-1-1.rlp',
    'chain/consortium/runs/slot-2/1/agreement.json',
  ])('keeps no other chain from being delivered: %s is missing', async (key) => {
    const { vault, history, second, join, run, held, shared, act } = deliveryWorld();
    await history.seal(bytes('a'));
    await history.seal(bytes('b'));
    await history.seal(bytes('d'));
    await second.seal(bytes('c'));
    await join('bank-a', 'bank-b');
    vault.objects.delete(key);
    await expect(run()).rejects.toMatchObject({ kind: 'violation', message: expect.stringContaining(key) });
    const sound = shared().filter((each) => !/(slot-[23]|0000000[23])/.test(each) || each.startsWith('chain/second/'));
    expect(held('bank-a')).toEqual(expect.arrayContaining(sound));
    expect(held('bank-a')).not.toContain('chain/consortium/manifests/00000002.json');
    await act('bank-b', { what: 'set', chains: ['second'] });
    expect((await readMember(vault, 'bank-b'))?.value.state).toBe('active');
  });

  test('a copy that finds the vault’s own bytes damaged is no fault of the member, and keeps no other chain waiting', async () => {
    const { history, second, join, run, held, storeOf, vault } = deliveryWorld();
    await history.seal(bytes('a'));
    await second.seal(bytes('c'));
    await join('bank-a');
    storeOf('bank-a').onPut = ({ key }) => {
      if (key.endsWith('slot-1-block-0-0.rlp') && key.includes('consortium')) throw new HistoryDamaged(key, 'Mend it.');
    };
    await expect(run()).rejects.toBeInstanceOf(HistoryDamaged);
    expect(held('bank-a')).toContain('chain/second/manifests/00000001.json');
    expect(held('bank-a')).not.toContain('chain/consortium/manifests/00000001.json');
    expect((await readMember(vault, 'bank-a'))?.value.state).toBe('active');
  });

  test('a damaged receipt is told, and keeps no other member from being served', async () => {
    const { vault, history, join, run, held, shared } = deliveryWorld();
    await history.seal(bytes('a'));
    await join('bank-a', 'bank-b');
    await run();
    await history.seal(bytes('b'));
    vault.objects.set('deliveries/bank-a/00000001.json', bytes('{}'));
    await expect(run()).rejects.toBeInstanceOf(NotADocument);
    expect(held('bank-b')).toEqual(shared());
    expect(held('bank-a')).not.toContain('chain/consortium/manifests/00000002.json');
  });

  test('a registry that breaks under way is told, and keeps no other member from being served', async () => {
    const { vault, history, join, run, held, shared, storeOf, later } = deliveryWorld();
    for (let n = 0; n < 8; n++) await history.seal(bytes(String(n)));
    await join('bank-a', 'bank-b');
    storeOf('bank-a').onPut = () => {
      later(3);
      vault.objects.set('members/bank-a/00000003.json', bytes('{}'));
    };
    await expect(run()).rejects.toBeInstanceOf(NotADocument);
    expect(held('bank-b')).toEqual(shared());
    expect(held('bank-a').length).toBeLessThan(shared().length);
  });

  test.each(['chain/consortium/slot-1-block-0-0.rlp', 'chain/consortium/runs/slot-1/1/agreement.json'])(
    'a member that hangs keeps nobody waiting, also where it alone lacks the object: %s',
    async (lacked) => {
      const { vault, history, join, run, held, shared, storeOf, registry } = deliveryWorld();
      const time = new VirtualTime();
      await history.seal(bytes('a'));
      await join('bank-a', 'bank-b');
      // By their receipts both have one object, and not the same one: they go together.
      const other = 'chain/consortium/records/slot-1-block-0-0.rlp.json';
      for (const [id, key] of [
        ['bank-a', other],
        ['bank-b', lacked],
      ] as const) {
        const body = vault.objects.get(key) ?? bytes('');
        const member = (await readMember(vault, id))?.value as Member;
        const at = '2026-11-01T00:00:00.000Z' as Member['at'];
        const delivered = [
          { key, size: body.length, sha256: sha256(body), kind: 'document', at, outcome: 'written' },
        ] as const;
        const ports = { ...registry, signer: unprovenSigner };
        await appendReceipt(ports, member, await deliveredTo(vault, member), { url: id, delivered, cursors: {} });
        storeOf(id).objects.set(key, body);
      }
      storeOf('bank-a').onPut = ({ key }) => {
        if (key === lacked) storeOf('bank-a').fault = 'hangs';
      };
      const stop = new AbortController();
      const end = time.after(20_000, new AbortController().signal).then(() => stop.abort());
      await time.drive(Promise.all([run({}, stop.signal, time).catch(() => {}), end]));
      expect(held('bank-b')).toEqual(shared());
    },
  );

  test('one that hung the last time keeps nobody waiting for an instant', async () => {
    const { history, join, run, held, shared, storeOf, later } = deliveryWorld();
    const time = new VirtualTime();
    await history.seal(bytes('a'));
    await join('bank-a', 'bank-b');
    storeOf('bank-a').fault = 'hangs';
    expect(await time.drive(run({}, undefined, time))).toMatchObject({ 'bank-a': { outcome: 'failed' } });
    later(3600);
    await history.seal(bytes('b'));
    const began = time.now();
    const whole = Promise.withResolvers<number>();
    storeOf('bank-b').onPut = ({ key }) => {
      if (key === 'chain/consortium/manifests/00000002.json') whole.resolve(time.now());
    };
    const ends = await time.drive(run({}, undefined, time));
    expect(await whole.promise).toBe(began);
    expect(ends).toMatchObject({ 'bank-a': { outcome: 'failed' }, 'bank-b': { outcome: 'whole' } });
    expect(held('bank-b')).toEqual(shared());
  });

  test('those that end together are told of together, before others have ended, and so is who could not set out', async () => {
    const { vault, history, join, run, storeOf } = deliveryWorld();
    const time = new VirtualTime();
    await history.seal(bytes('a'));
    await join('bank-a', 'bank-b', 'bank-c', 'bank-d');
    await run();
    await history.seal(bytes('b'));
    vault.objects.set('deliveries/bank-d/00000001.json', bytes('{}'));
    storeOf('bank-b').fault = 'hangs';
    const arrived: unknown[] = [];
    const onArrived: DeliverPorts['onArrived'] = (members, ends) =>
      arrived.push([members, ends.map(({ outcome }) => outcome)]);
    await time.drive(run({}, undefined, time, { onArrived }).catch(() => {}));
    expect(arrived).toEqual([
      [['bank-d'], []],
      [
        ['bank-a', 'bank-c'],
        ['whole', 'whole'],
      ],
      [['bank-b'], ['failed']],
    ]);
  });

  test('most that hang keep the others waiting half a minute at most', async () => {
    const { history, join, run, held, shared, storeOf } = deliveryWorld();
    const time = new VirtualTime();
    await history.seal(bytes('a'));
    await join('bank-a', 'bank-b', 'bank-c');
    for (const id of ['bank-a', 'bank-b']) storeOf(id).fault = 'hangs';
    const stop = new AbortController();
    const delivery = run({}, stop.signal, time).catch(() => {});
    const end = time.after(40_000, new AbortController().signal).then(() => stop.abort());
    await time.drive(Promise.all([delivery, end]));
    expect(held('bank-c')).toEqual(shared());
  });

  test('what a destination did is no word on the one that was registered since', async () => {
    const { vault, history, join, run, storeOf, register, act, held, shared } = deliveryWorld();
    await history.seal(bytes('a'));
    await join('bank-a', 'bank-b');
    storeOf('bank-a').fault = 'refuses';
    let joining: Promise<void> | undefined;
    storeOf('bank-a').onPut = () => {
      joining ??= join('bank-a');
    };
    storeOf('bank-b').fault = 'away';
    storeOf('bank-b').onPut = () => void act('bank-b', { what: 'set', environmentBackupTarget: false });
    expect(await run()).toMatchObject({ 'bank-a': { outcome: 'off' }, 'bank-b': { outcome: 'off' } });
    await joining;
    expect((await readMember(vault, 'bank-a'))?.value).toMatchObject({ state: 'active', fault: null });
    storeOf('bank-a').fault = undefined;
    storeOf('bank-a').onPut = () => {};
    await run();
    expect(held('bank-a')).toEqual(shared());
    await register('bank-b');
  });

  test('a check of a destination is no check of the one that was registered while it was under way', async () => {
    const { vault, register, registry, storeOf, act } = deliveryWorld();
    await register('bank-a');
    const before = (await readMember(vault, 'bank-a'))?.value as Member;
    await act('bank-a', { what: 'register', destination: { kind: 'folder', path: '/elsewhere' } });
    const ports = { ...registry, destinationOf: () => storeOf('bank-a') };
    await expect(checkMember(ports, before)).rejects.toMatchObject({ name: 'MemberActRefused' });
    expect((await readMember(vault, 'bank-a'))?.value.state).toBe('invited');
  });

  test('a delivery that does not know of a new registration yet hides nothing of what was delivered there', async () => {
    const { vault, history, join, run, registry, destinationOf } = deliveryWorld();
    await history.seal(bytes('a'));
    await join('bank-a');
    const old = (await readMember(vault, 'bank-a'))?.value;
    await join('bank-a');
    await run();
    const signal = AbortSignal.any([]);
    await deliver({ ...registry, signer: unprovenSigner, destinationOf, signal }, old === undefined ? [] : [old]);
    expect(await run()).toMatchObject({ 'bank-a': { outcome: 'whole', objects: 0 } });
  });
});

describe('what goes out', () => {
  test('a manifest that cites what is private takes it nowhere', async () => {
    const { vault, history, join, run, held } = deliveryWorld();
    await history.seal(bytes('a'));
    await join('bank-a');
    const key = 'sets/validator/identities.json';
    vault.objects.set(key, bytes('secret'));
    const first = JSON.parse(
      Buffer.from(vault.objects.get('chain/consortium/manifests/00000001.json') ?? []).toString(),
    );
    const previous = sha256(vault.objects.get('chain/consortium/manifests/00000001.json') ?? bytes(''));
    await putSigned(vault, unprovenSigner, 'chain/consortium/manifests/00000002.json', {
      ...{ ...first, seq: 2, previous, records: [], agreement: { key, sha256: sha256(bytes('secret')) } },
    });
    await expect(run()).rejects.toBeInstanceOf(HistoryDamaged);
    expect(held('bank-a')).toContain('chain/consortium/manifests/00000001.json');
    expect(held('bank-a')).not.toContain(key);
  });

  test('a manifest that does not follow the one that the member has goes nowhere', async () => {
    const { vault, history, join, run, held } = deliveryWorld();
    await history.seal(bytes('a'));
    await join('bank-a');
    await run();
    const first = JSON.parse(
      Buffer.from(vault.objects.get('chain/consortium/manifests/00000001.json') ?? []).toString(),
    );
    const other = { ...first, seq: 2, previous: '0'.repeat(64), records: [] };
    await putSigned(vault, unprovenSigner, 'chain/consortium/manifests/00000002.json', other);
    await expect(run()).rejects.toBeInstanceOf(HistoryDamaged);
    expect(held('bank-a')).not.toContain('chain/consortium/manifests/00000002.json');
  });

  test('the key of a new signer is there before what it signed, also if it came under way', async () => {
    const signer = newToySigner();
    const { history, join, run, storeOf } = deliveryWorld();
    await history.seal(bytes('a'));
    await join('bank-a');
    const order: string[] = [];
    let sealing: Promise<void> | undefined;
    storeOf('bank-a').onPut = ({ key }) => {
      order.push(key);
      history.signer = signer;
      sealing ??= history.seal(bytes('b'));
    };
    await run();
    await sealing;
    await run();
    expect(order.indexOf(`keys/${await signer.fingerprint()}.pem`)).toBeGreaterThan(0);
    expect(order.indexOf(`keys/${await signer.fingerprint()}.pem`)).toBeLessThan(
      order.indexOf('chain/consortium/manifests/00000002.json'),
    );
  });

  test('bytes that are asked for a second time are proved a second time', async () => {
    const { vault, history, join, run, storeOf, held } = deliveryWorld();
    await history.seal(bytes('a'));
    await join('bank-a');
    const key = 'chain/consortium/slot-1-block-0-0.rlp';
    const store = storeOf('bank-a');
    const put = store.put.bind(store);
    store.put = async (item, body, signal) => {
      if (item.key !== key) return put(item, body, signal);
      for await (const _ of body()) vault.objects.set(key, bytes('z'));
      return put(item, body, signal);
    };
    await expect(run()).rejects.toBeInstanceOf(HistoryDamaged);
    expect(held('bank-a')).not.toContain(key);
  });
});

describe('what a vault may not make a delivery do', () => {
  const world = async () => {
    const made = deliveryWorld();
    await made.history.seal(Buffer.from('a'));
    await made.join('bank-a');
    return made;
  };

  test.each([
    [
      'a private key under the name of a public one',
      'keys/%.pem',
      '-----BEGIN PRIVATE KEY-----\nsecret\n-----END PRIVATE KEY-----\n',
    ],
    ['a public key under the name of another', 'keys/%.pem', newKeys().publicKey],
    ['an endorsement that is none', 'keys/%.endorsed-by-%.sig', 'secret'],
  ])('%s goes to nobody, nor what such keys verify, and is named', async (_, name, text) => {
    const { vault, run, storeOf, held } = await world();
    const key = name.replaceAll('%', 'a'.repeat(64));
    vault.objects.set(key, Buffer.from(text));
    await expect(run()).rejects.toThrow(key);
    expect([...storeOf('bank-a').objects.values()].some((bytes) => Buffer.from(bytes).includes('secret'))).toBe(false);
    expect(held('bank-a').filter((each) => each === key || each.startsWith('chain/'))).toEqual([]);
  });

  test('a vault that was put back to an older state is no end of the history that a member has', async () => {
    const { vault, history, run } = await world();
    const older = new Map(vault.objects);
    await history.seal(Buffer.from('b'));
    await run();
    const kept = [...vault.objects].filter(([key]) => /^(members|deliveries)\//.test(key));
    vault.objects.clear();
    for (const [key, bytes] of [...older, ...kept]) vault.objects.set(key, bytes);
    await expect(run()).rejects.toThrow('chain/consortium/manifests/00000002.json');
  });
});
