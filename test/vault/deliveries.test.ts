import { describe, expect, test } from '@jest/globals';
import { canonicalBytes } from '../../core/canonical.ts';
import type { Delivered } from '../../core/delivery.ts';
import type { Member } from '../../core/members.ts';
import type { Signer } from '../../core/ports.ts';
import { sha256 } from '../../io/digest.ts';
import { appendReceipt, deliveredTo, receiptsUpTo } from '../../vault/deliveries.ts';
import { deliveryKey, proofKey, publicKeyKey, signatureKey } from '../../vault/layout.ts';
import { readMember } from '../../vault/members.ts';
import { readBacksOf } from '../../vault/read-backs.ts';
import { publishKey } from '../../vault/trust.ts';
import { deliveryWorld } from '../support/delivery-world.ts';
import { newToySigner, unprovenSigner } from '../support/toy-deliveries.ts';

/** A member with three receipts and two proofs. */
async function world() {
  const made = deliveryWorld();
  const { vault, history, joinReadable, run, readBack, later } = made;
  await history.seal(Buffer.from('a'));
  await joinReadable('bank-a');
  await run();
  for (const text of ['b', 'c']) {
    await history.seal(Buffer.from(text));
    await run();
    await readBack('bank-a');
    later(86_400);
  }
  const member = async () => (await readMember(vault, 'bank-a'))?.value as Member;
  const json = (key: string) => JSON.parse(Buffer.from(vault.objects.get(key) ?? []).toString());
  /** Writes other bytes under a key, with a signature of that signer. */
  const signAgain = async (key: string, value: object, signer: Signer = unprovenSigner) => {
    const bytes = canonicalBytes({ ...value, signer: await signer.fingerprint() });
    vault.objects.set(key, bytes);
    vault.objects.set(signatureKey(key, sha256(bytes)), await signer.sign(bytes));
  };
  return { ...made, member, json, signAgain };
}

type World = Awaited<ReturnType<typeof world>>;
const receipt = (n: number): string => deliveryKey('bank-a', n);

const BAD: readonly (readonly [what: string, spoil: (world: World) => unknown, named: string])[] = [
  [
    'whose signature is another’s',
    async ({ vault, json }) => {
      const bytes = vault.objects.get(receipt(3)) ?? new Uint8Array();
      vault.objects.set(signatureKey(receipt(3), sha256(bytes)), await newToySigner().sign(bytes));
      expect(json(receipt(3)).seq).toBe(3);
    },
    'the signature of deliveries/bank-a/00000003.json does not fit',
  ],
  [
    'whose signature is no signature',
    ({ vault }) => {
      const bytes = vault.objects.get(receipt(3)) ?? new Uint8Array();
      vault.objects.set(signatureKey(receipt(3), sha256(bytes)), Buffer.from('signed'));
    },
    'the signature of deliveries/bank-a/00000003.json does not fit',
  ],
  [
    'that was edited, with an object of that name beside it',
    ({ vault, json }) => {
      const bytes = canonicalBytes({ ...json(receipt(3)), destination: 'elsewhere' });
      const old = vault.objects.get(signatureKey(receipt(3), sha256(vault.objects.get(receipt(3)) ?? Buffer.of())));
      vault.objects.set(receipt(3), bytes);
      vault.objects.set(signatureKey(receipt(3), sha256(bytes)), old ?? Buffer.of());
    },
    'the signature of deliveries/bank-a/00000003.json does not fit',
  ],
  [
    'that was signed again by a key that is not there',
    ({ json, signAgain }) => signAgain(receipt(3), json(receipt(3)), newToySigner()),
    'whose key is not in the vault',
  ],
  [
    'that was signed again under a key file that is not that key',
    async ({ vault, json, signAgain }) => {
      const [signer, other] = [newToySigner(), newToySigner()];
      await signAgain(receipt(3), json(receipt(3)), signer);
      vault.objects.set(publicKeyKey(await signer.fingerprint()), Buffer.from(await other.publicKeyPem()));
    },
    'whose key is not in the vault',
  ],
  [
    'behind one that was signed again by a key that is there',
    async ({ vault, json, signAgain }) => {
      const signer = newToySigner();
      await publishKey(vault, signer);
      await signAgain(receipt(2), json(receipt(2)), signer);
    },
    'deliveries/bank-a/00000003.json does not cite what lies before it',
  ],
  [
    'behind one that is missing',
    ({ vault }) => vault.objects.delete(receipt(2)),
    'deliveries/bank-a/00000002.json is missing',
  ],
  [
    'that is another member’s',
    ({ vault, json, signAgain }) => {
      vault.objects.delete(receipt(3));
      return signAgain(receipt(3), { ...json(receipt(2)), seq: 3, member: 'bank-b' });
    },
    'deliveries/bank-a/00000003.json holds number 3 of bank-b',
  ],
];

describe('what was delivered is told by receipts that are as they were signed', () => {
  test('and by each key that signed them, read once', async () => {
    const { vault, member } = await world();
    const read: string[] = [];
    const counting = Object.assign(Object.create(vault) as typeof vault, {
      get: (key: string) => {
        read.push(key);
        return vault.get(key);
      },
    });
    const seqs = [];
    for await (const { value } of receiptsUpTo(counting, await member(), 3)) seqs.push(value.seq);
    expect(seqs).toEqual([3, 2, 1]);
    expect(read.filter((key) => key.startsWith('keys/'))).toHaveLength(1);
    expect(read).toHaveLength(7);
  });

  test.each(BAD)('one %s is refused by name, and nothing counts as delivered', async (_, spoil, named) => {
    const made = await world();
    const { vault, member, run, history, held } = made;
    await spoil(made);
    const refused = { name: 'NotADocument', message: expect.stringContaining(named) };
    await expect(deliveredTo(vault, await member())).rejects.toMatchObject(refused);
    await expect(Array.fromAsync(receiptsUpTo(vault, await member(), 3))).rejects.toMatchObject(refused);
    await history.seal(Buffer.from('d'));
    const before = held('bank-a');
    await expect(run()).rejects.toMatchObject(refused);
    expect(held('bank-a')).toEqual(before);
  });

  test('one that says it is the first of more, and a first one that cites another, are refused', async () => {
    const { vault, member, json, signAgain } = await world();
    await signAgain(receipt(1), { ...json(receipt(1)), previous: 'a'.repeat(64) });
    for (const n of [2, 3]) vault.objects.delete(receipt(n));
    const named = expect.stringContaining(`${receipt(1)} does not cite`);
    await expect(deliveredTo(vault, await member())).rejects.toMatchObject({ message: named });
  });

  test('a proof whose signature does not fit is refused by name', async () => {
    const { vault, member, readBack, history, run } = await world();
    const bytes = vault.objects.get(proofKey('bank-a', 2)) ?? new Uint8Array();
    vault.objects.set(signatureKey(proofKey('bank-a', 2), sha256(bytes)), await newToySigner().sign(bytes));
    const refused = { name: 'NotADocument', message: expect.stringContaining('proofs/bank-a/00000002.json') };
    await expect(readBacksOf(vault, await member())).rejects.toMatchObject(refused);
    await history.seal(Buffer.from('d'));
    await run();
    await expect(readBack('bank-a')).rejects.toMatchObject(refused);
  });
});

describe('two deliveries at once', () => {
  test('count every object once, and each is listed by one receipt', async () => {
    const { history, join, run, shared, held, receipts, storeOf } = deliveryWorld();
    for (let n = 0; n < 12; n++) await history.seal(Buffer.from(`${n} a`), Buffer.from(`${n} b`));
    await join('bank-a');
    storeOf('bank-a').fault = 'slow';
    await Promise.all([run({ objects: 20 }), run({ objects: 40 })]);
    await Promise.all([run(), run()]);
    expect(held('bank-a')).toEqual(shared());
    const all = await receipts('bank-a');
    expect(all.length).toBeGreaterThan(2);
    expect(all.flatMap(({ value }) => value.delivered.map(({ key }) => key)).sort()).toEqual(shared());
    expect(all[0]?.value.totals).toMatchObject({ objects: shared().length, files: 24 });
  });

  const item = (name: string, outcome: Delivered['outcome']): Delivered => ({
    ...{ key: `chain/consortium/${name}.rlp`, size: 10, sha256: sha256(Buffer.from(name)), kind: 'file', outcome },
    at: '2026-11-01T00:00:00.000Z' as Delivered['at'],
  });

  async function both() {
    const { vault, join, registry } = deliveryWorld();
    await join('bank-a');
    const member = (await readMember(vault, 'bank-a'))?.value as Member;
    const state = await deliveredTo(vault, member);
    const append = (before: typeof state, ...delivered: Delivered[]) =>
      appendReceipt({ ...registry, signer: unprovenSigner }, member, before, { url: 'x', delivered, cursors: {} });
    return { state, append, standing: () => deliveredTo(vault, member) };
  }

  test('list what only one of them has put, also after each has read the other’s', async () => {
    const { state, append, standing } = await both();
    const ours = await append(state, item('a', 'written'));
    let theirs = await append(state, item('a', 'same'), item('b', 'written'));
    expect(theirs.totals).toEqual({ objects: 2, files: 2, bytes: 20, unproven: 0 });
    await append(ours, item('c', 'written'), item('b', 'there'));
    theirs = await append(theirs, item('a', 'there'), item('d', 'written'), item('c', 'there'));
    expect(theirs.totals).toEqual({ objects: 4, files: 4, bytes: 40, unproven: 0 });
    expect((await standing()).totals).toEqual(theirs.totals);
  });

  test('write no receipt of what the other has told of, whoever of them put it', async () => {
    const { state, append, standing } = await both();
    await append(state, item('a', 'there'));
    expect((await append(state, item('a', 'written'))).totals).toMatchObject({ objects: 1, unproven: 1 });
    expect((await standing()).head?.value.seq).toBe(1);
  });
});

test('what was begun of a manifest is kept in mind while another chain moves on: nothing is put or counted twice', async () => {
  const { vault, history, second, join, run, storeOf, held } = deliveryWorld();
  await join('bank-a');
  const puts: string[] = [];
  storeOf('bank-a').onPut = ({ key }) => void puts.push(key);
  await history.seal(...['a', 'b', 'c', 'd'].map((each) => Buffer.from(each)));
  const lost = [...vault.objects.keys()].find((key) => key.endsWith('-2-2.rlp')) ?? '';
  const bytes = vault.objects.get(lost) ?? Buffer.of();
  vault.objects.delete(lost);
  for (const text of ['x', 'y', 'z']) {
    await second.seal(Buffer.from(text));
    await expect(run()).rejects.toThrow(lost);
  }
  expect(puts.some((key) => key.endsWith('-0-0.rlp'))).toBe(true);
  vault.objects.set(lost, bytes);
  const ended = await run();
  const totals = { objects: held('bank-a').length, files: 7, unproven: 0 };
  expect(ended).toMatchObject({ 'bank-a': { outcome: 'whole', totals } });
  // Each of the three runs has tried the one that could not be read.
  expect(puts.filter((key) => key !== lost).toSorted()).toEqual(held('bank-a').filter((key) => key !== lost));
});
