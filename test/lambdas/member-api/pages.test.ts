import { createPublicKey, verify } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { Instant } from '../../../core/names.ts';
import { sha256 } from '../../../io/digest.ts';
import { appendReceipt, deliveredTo } from '../../../vault/deliveries.ts';
import { actOn, readMember } from '../../../vault/members.ts';
import { appendReadBack, type Read, readBacksOf } from '../../../vault/read-backs.ts';
import { apiWorld, BANK_A, BANK_B } from '../../support/api-world.ts';
import { ToyHistory, unprovenSigner } from '../../support/toy-deliveries.ts';
import { newKeys } from '../../support/toy-sets.ts';

const BUCKET = { bucket: 'bank-a-ledgers', region: 'eu-west-1' };

describe('the receipts of a member', () => {
  test('come in pages from the oldest on, each as it was signed', async () => {
    const world = apiWorld();
    const { signer } = newKeys();
    await world.call(BANK_A, 'PUT', '/members/bank-a/destination', BUCKET);
    const member = await readMember(world.vault, 'bank-a');
    if (member === undefined) throw new Error('it is registered');
    let state = await deliveredTo(world.vault, member.value);
    const ports = { vault: world.vault, clock: world.ports.clock, signer };
    for (let n = 1; n <= 51; n++) {
      const delivered = [
        {
          ...{ key: `chain/consortium/${n}.rlp`, size: n, sha256: 'a'.repeat(64) as never, kind: 'file' as const },
          ...{ at: Instant.parse('2026-11-01T00:00:00.000Z'), outcome: 'written' as const },
        },
      ];
      state = await appendReceipt(ports, member.value, state, { url: 's3://x', delivered, cursors: {} });
    }
    const first = (await world.call(BANK_A, 'GET', '/members/bank-a/receipts')).json;
    expect(first).toMatchObject({ receipts: { length: 50 }, next: 50 });
    const last = (await world.call(BANK_A, 'GET', `/members/bank-a/receipts?after=${first.next}`)).json;
    expect(last).toMatchObject({ receipts: [{ seq: 51 }], next: null });
    const key = createPublicKey(await signer.publicKeyPem());
    for (const { seq, document, signature } of [...first.receipts, ...last.receipts]) {
      expect(JSON.parse(document)).toMatchObject({ seq, member: 'bank-a', delivered: [{ size: seq }] });
      expect(verify('sha256', Buffer.from(document), key, Buffer.from(signature, 'base64'))).toBe(true);
    }
    expect((await world.call(BANK_A, 'GET', '/members/bank-a/receipts?after=51')).json.receipts).toEqual([]);
  });
});

/** One turn of reading that found other bytes behind `after`. */
const TAMPERED: Read = {
  ...{ destination: 's3://x', at: Instant.parse('2026-11-01T00:00:00.000Z'), day: 20_758, receipts: 0 },
  ...{ whole: false, after: 'chain/consortium/a.rlp', objects: 2, bytes: 30, unread: 1, newlyProven: 0 },
  fault: { name: 'TAMPERED', key: 'chain/consortium/b.rlp' },
};

/** A registered member that lets us read. */
async function readableWorld() {
  const world = apiWorld();
  const { signer } = newKeys();
  const register = () => world.call(BANK_A, 'PUT', '/members/bank-a/destination', BUCKET);
  const member = async () => {
    const found = await readMember(world.vault, 'bank-a');
    if (found === undefined) throw new Error('it is registered');
    return found.value;
  };
  const registered = async () => {
    await register();
    const report = { at: Instant.parse('2026-11-01T00:00:00.000Z'), faults: [], reads: true };
    await actOn({ ...world.ports, by: 'a test' }, 'bank-a', { what: 'check', report });
  };
  await registered();
  const prove = async (read: Partial<Read> = {}) => {
    const ports = { vault: world.vault, clock: world.ports.clock, signer };
    await appendReadBack(ports, await member(), await readBacksOf(world.vault, await member()), {
      ...TAMPERED,
      ...read,
    });
  };
  return {
    ...world,
    signer,
    registered,
    prove,
    leave: () => world.call(BANK_A, 'DELETE', '/members/bank-a/destination'),
  };
}

describe('what was read back at a member', () => {
  test('is told to it with the key of what was found there, and nothing of what was read at another destination', async () => {
    const { call, prove, leave, registered } = await readableWorld();
    const told = async () => (await call(BANK_A, 'GET', '/members/bank-a')).json.readBack;
    expect(await told()).toBeNull();
    await prove({ fault: null, whole: true });
    await prove();
    const { destination: _, receipts: __, after: ___, newlyProven: ____, ...shown } = TAMPERED;
    expect(await told()).toEqual({ ...shown, seq: 2, proven: 0 });
    await leave();
    await registered();
    expect(await told()).toBeNull();
  });

  test('comes in pages from the oldest on, each proof as it was signed, also of an earlier destination', async () => {
    const { call, prove, signer, leave } = await readableWorld();
    expect((await call(BANK_A, 'GET', '/members/bank-a/proofs')).json).toEqual({ proofs: [], next: null });
    for (let n = 1; n <= 51; n++) await prove({ bytes: n });
    await leave();
    const first = (await call(BANK_A, 'GET', '/members/bank-a/proofs')).json;
    expect(first).toMatchObject({ proofs: { length: 50 }, next: 50 });
    const last = (await call(BANK_A, 'GET', `/members/bank-a/proofs?after=${first.next}`)).json;
    expect(last).toMatchObject({ proofs: [{ seq: 51 }], next: null });
    const key = createPublicKey(await signer.publicKeyPem());
    for (const { seq, document, sha256: digest, signature } of [...first.proofs, ...last.proofs]) {
      expect(JSON.parse(document)).toMatchObject({ seq, member: 'bank-a', bytes: seq, fault: TAMPERED.fault });
      expect(sha256(Buffer.from(document))).toBe(digest);
      expect(verify('sha256', Buffer.from(document), key, Buffer.from(signature, 'base64'))).toBe(true);
    }
  });

  test('is for the member alone', async () => {
    const { call, prove } = await readableWorld();
    await prove();
    const { status, json } = await call(BANK_B, 'GET', '/members/bank-a/proofs');
    expect({ status, name: json.error.name }).toEqual({ status: 403, name: 'NotYourMember' });
    expect((await call(BANK_A, 'GET', '/members/bank-a/proofs')).json.proofs).toHaveLength(1);
  });

  test('is not answered for where a proof is not as it was signed', async () => {
    const { call, prove, vault, failures } = await readableWorld();
    for (let n = 1; n <= 3; n++) await prove({ bytes: n });
    const one = Buffer.from(vault.objects.get('proofs/bank-a/00000001.json') ?? []).toString();
    vault.objects.set('proofs/bank-a/00000001.json', Buffer.from(one.replace('"bytes":1', '"bytes":9')));
    expect((await call(BANK_A, 'GET', '/members/bank-a/proofs')).status).toBe(500);
    expect(failures).toMatchObject([{ name: 'NotADocument' }]);
    expect((await call(BANK_A, 'GET', '/members/bank-a/proofs?after=1')).json.proofs).toHaveLength(2);
  });
});

describe('the history', () => {
  test('comes in pages by manifest, with every file’s size and digest', async () => {
    const world = apiWorld();
    const history = new ToyHistory(world.vault);
    for (let n = 0; n < 52; n++) await history.seal(Buffer.from(`file ${n}`), Buffer.from(`and ${n}`));
    const first = (await world.call(BANK_A, 'GET', '/members/bank-a/history')).json;
    expect(first).toMatchObject({ node: 'consortium', manifests: { length: 50 }, next: 50 });
    expect(first.manifests[1].files[0]).toMatchObject({
      ...{ key: 'chain/consortium/slot-2-block-2-2.rlp', size: 6, firstBlock: 2, lastBlock: 2 },
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    const rest = (await world.call(BANK_A, 'GET', '/members/bank-a/history?node=consortium&after=50')).json;
    expect(rest).toMatchObject({ manifests: [{ seq: 51 }, { seq: 52 }], next: null });
  });

  test('is that of a chain which the member wants, and there is', async () => {
    const world = apiWorld();
    const named = async (url: string) => (await world.call(BANK_A, 'GET', url)).json.error?.name;
    expect(await named('/members/bank-a/history')).toBe('NoSuchChain');
    for (const node of ['consortium', 'another'])
      await new ToyHistory(world.vault, undefined, node).seal(Buffer.from(node));
    expect(await named('/members/bank-a/history')).toBe('NoSuchChain');
    expect(await named('/members/bank-a/history?node=..%2fsets')).toBe('RequestInvalid');
    expect(await named('/members/bank-a/history?node=third')).toBe('NoSuchChain');
    expect(await named('/members/bank-a/history?node=another')).toBeUndefined();
    await world.call(BANK_A, 'PUT', '/members/bank-a/destination', BUCKET);
    await world.call(BANK_A, 'PATCH', '/members/bank-a', { chains: ['consortium'] });
    expect(await named('/members/bank-a/history?node=another')).toBe('NoSuchChain');
    expect(await named('/members/bank-a/history')).toBeUndefined();
  });
});

test('the status of a member is told also where one of the chains is damaged, without that one', async () => {
  const world = apiWorld();
  await world.call(BANK_A, 'PUT', '/members/bank-a/destination', BUCKET);
  await new ToyHistory(world.vault).seal(Buffer.from('a'));
  await new ToyHistory(world.vault, unprovenSigner, 'second').seal(Buffer.from('b'));
  world.vault.objects.set('chain/second/manifests/00000001.json', Buffer.from('{}'));
  const { status, json } = await world.call(BANK_A, 'GET', '/members/bank-a');
  expect({ status, behind: json.behind }).toMatchObject({
    status: 200,
    behind: [{ node: 'consortium', manifests: 1 }],
  });
});
