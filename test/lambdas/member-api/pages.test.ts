import { createPublicKey, verify } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { Instant } from '../../../core/names.ts';
import { appendReceipt, deliveredTo } from '../../../vault/deliveries.ts';
import { readMember } from '../../../vault/members.ts';
import { apiWorld, BANK_A } from '../../support/api-world.ts';
import { ToyHistory } from '../../support/toy-deliveries.ts';
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
