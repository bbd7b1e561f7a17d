import { beforeAll, describe, expect, test } from '@jest/globals';
import { canonicalBytes } from '../../core/canonical.ts';
import { type DeliveryReceipt, totalsWith } from '../../core/delivery.ts';
import type { Signer } from '../../core/ports.ts';
import type { ReadBack } from '../../core/read-back.ts';
import { sha256 } from '../../io/digest.ts';
import { protocolNamed } from '../../protocols/registry.ts';
import { chainManifestKey, deliveryKey, proofKey, signatureKey } from '../../vault/layout.ts';
import { publishKey } from '../../vault/trust.ts';
import { type VerifyReport, verify } from '../../vault/verify.ts';
import { MemoryVault } from '../fakes/memory-vault.ts';
import { deliveryWorld } from '../support/delivery-world.ts';
import { newToySigner, unprovenSigner } from '../support/toy-deliveries.ts';

const DAY = 86_400;

/** Two members of two chains; bank-a has four receipts of two registrations, and a week of proofs. */
async function filled() {
  const world = deliveryWorld();
  const { history, second, run, readBack, later, join, joinReadable } = world;
  await history.seal(Buffer.from('a'), Buffer.from('b'));
  await join('bank-b');
  await joinReadable('bank-a');
  await run();
  await joinReadable('bank-a');
  for (const text of ['c', 'd', 'e']) {
    await history.seal(Buffer.from(text));
    await second.seal(Buffer.from(`2 ${text}`));
    await run();
  }
  // Not whole: the next one goes on with it.
  await readBack('bank-a', { bytes: 1_500 });
  later(DAY / 24);
  for (let day = 0; day < 7; day++, later(DAY)) await readBack('bank-a');
  return world;
}

type World = Awaited<ReturnType<typeof filled>>;
let world: World;
let publicKey: string;
beforeAll(async () => {
  world = await filled();
  publicKey = await unprovenSigner.publicKeyPem();
});

const prove = (vault: MemoryVault, more = {}): Promise<VerifyReport> =>
  verify({ vault, publicKeys: [publicKey], protocolNamed, depth: 'structure', ...more });

type Objects = Map<string, Uint8Array>;

async function changed(change: (objects: Objects) => unknown): Promise<MemoryVault> {
  const vault = new MemoryVault();
  for (const [key, bytes] of world.vault.objects) vault.objects.set(key, Uint8Array.from(bytes));
  await change(vault.objects);
  return vault;
}

const codes = ({ members }: VerifyReport, member = 'bank-a') => [
  ...new Set(members.find((each) => each.member === member)?.findings.map(({ code }) => code)),
];
const told = (report: VerifyReport) => report.members.flatMap(({ findings }) => findings);
const receipt = (n: number, member = 'bank-a'): string => deliveryKey(member, n);
const proof = (n: number): string => proofKey('bank-a', n);

/** What somebody with a key makes of a document; what follows it is linked to it anew, and signed as well. */
async function signAgain<T extends DeliveryReceipt | ReadBack>(
  objects: Objects,
  key: string,
  change: (value: T) => object,
  signer: Signer = unprovenSigner,
): Promise<void> {
  const value = JSON.parse(Buffer.from(objects.get(key) ?? []).toString());
  let bytes = canonicalBytes({ ...value, ...change(value), signer: await signer.fingerprint() });
  for (let [at, n] = [key, value.seq as number]; ; ) {
    objects.set(at, bytes);
    objects.set(signatureKey(at, sha256(bytes)), await signer.sign(bytes));
    at = at.replace(/\d{8}/, String(++n).padStart(8, '0'));
    const next = objects.get(at);
    if (next === undefined) return;
    bytes = canonicalBytes({ ...JSON.parse(Buffer.from(next).toString()), previous: sha256(bytes) });
  }
}

type Wrong = readonly [what: string, spoil: (objects: Objects) => unknown, code: string, about: string];
const again =
  (key: string, change: (value: DeliveryReceipt) => object) =>
  (objects: Objects): Promise<void> =>
    signAgain(objects, key, change);
const proofAgain =
  (key: string, change: (value: ReadBack) => object) =>
  (objects: Objects): Promise<void> =>
    signAgain(objects, key, change);

const WRONG: readonly Wrong[] = [
  ['a receipt removed in the middle', (all) => all.delete(receipt(3)), 'LINK_MISSING', receipt(3)],
  ['a proof removed in the middle', (all) => all.delete(proof(3)), 'LINK_MISSING', proof(3)],
  [
    'a receipt swapped with another member’s',
    (all) => void all.set(receipt(2), all.get(receipt(2, 'bank-b')) ?? Buffer.of()),
    'LINK_FOREIGN',
    receipt(2),
  ],
  [
    'a receipt replayed under another number',
    (all) => void all.set(receipt(4), all.get(receipt(3)) ?? Buffer.of()),
    'LINK_FOREIGN',
    receipt(4),
  ],
  ['a receipt of another network', again(receipt(4), () => ({ network: 'other' })), 'LINK_FOREIGN', receipt(4)],
  [
    'a receipt signed again by a foreign key',
    (all) => signAgain(all, receipt(4), () => ({}), newToySigner()),
    'SIGNER_UNTRUSTED',
    receipt(4),
  ],
  [
    'a receipt without its signature',
    (all) => all.delete(signatureKey(receipt(4), sha256(all.get(receipt(4)) ?? Buffer.of()))),
    'SIGNATURE_MISSING',
    receipt(4),
  ],
  [
    'a receipt with another’s signature',
    async (all) => {
      const bytes = all.get(receipt(2)) ?? Buffer.of();
      all.set(signatureKey(receipt(2), sha256(bytes)), await newToySigner().sign(bytes));
    },
    'SIGNATURE_WRONG',
    receipt(2),
  ],
  [
    'a receipt that cites another one',
    again(receipt(3), () => ({ previous: 'a'.repeat(64) })),
    'LINK_BROKEN',
    receipt(3),
  ],
  [
    'an object that is listed twice and counted so, by who has the key',
    again(receipt(4), ({ delivered: [first, ...rest], totals }) => ({
      delivered: first === undefined ? [] : [first, ...rest, first],
      totals: totalsWith(totals, first === undefined ? [] : [first]),
    })),
    'DELIVERED_TWICE',
    receipt(4),
  ],
  [
    'a stray far behind all receipts',
    (all) => void all.set(receipt(99_999_999), Buffer.of()),
    'LINK_MISSING',
    receipt(5),
  ],
  ['a receipt of an earlier registration', again(receipt(4), () => ({ since: 1 })), 'LINK_BROKEN', receipt(4)],
  ...(['objects', 'files', 'bytes', 'unproven'] as const).map(
    (name): Wrong => [
      `totals with other ${name}, by who has the key`,
      again(receipt(3), ({ totals }) => ({ totals: { ...totals, [name]: totals[name] + 1 } })),
      'TOTALS_WRONG',
      receipt(3),
    ],
  ),
  ...(['size', 'sha256', 'kind'] as const).map(
    (name): Wrong => [
      `an object with another ${name}, by who has the key`,
      again(receipt(2), ({ delivered }) => {
        const other = { size: 77, sha256: 'b'.repeat(64), kind: 'seal' }[name];
        return { delivered: delivered.map((each) => (each.kind === 'file' ? { ...each, [name]: other } : each)) };
      }),
      'DELIVERED_WRONG',
      receipt(2),
    ],
  ),
  [
    'a document with another size, by who has the key',
    again(receipt(2), ({ delivered }) => ({
      delivered: delivered.map((each) => (each.key.includes('agreement') ? { ...each, size: each.size + 1 } : each)),
    })),
    'DELIVERED_WRONG',
    receipt(2),
  ],
  [
    'a public key with another digest, by who has the key',
    again(receipt(2), ({ delivered }) => ({
      delivered: delivered.map((each) => (each.key.startsWith('keys/') ? { ...each, sha256: 'c'.repeat(64) } : each)),
    })),
    'DELIVERED_WRONG',
    receipt(2),
  ],
  [
    'a cursor that goes back, by who has the key',
    again(receipt(4), ({ cursors }) => ({ cursors: { consortium: cursors['consortium'] } })),
    'CURSOR_WRONG',
    receipt(4),
  ],
  [
    'a cursor at another manifest, by who has the key',
    again(receipt(3), ({ cursors }) => ({
      cursors: { ...cursors, second: { ...cursors['second'], sha256: 'd'.repeat(64) } },
    })),
    'CURSOR_WRONG',
    receipt(3),
  ],
  [
    'a cursor with another last block, by who has the key',
    again(receipt(4), ({ cursors }) => ({ cursors: { ...cursors, second: { ...cursors['second'], block: 77 } } })),
    'CURSOR_WRONG',
    receipt(4),
  ],
  [
    'a cursor before an object that no receipt lists, by who has the key',
    again(receipt(3), ({ delivered }) => ({ delivered: delivered.filter(({ key }) => !key.endsWith('.rlp')) })),
    'CURSOR_WRONG',
    receipt(3),
  ],
  [
    'keys that were not delivered, by who has the key',
    again(receipt(4), ({ trust }) => ({ trust: [...trust, `keys/${'e'.repeat(64)}.pem`] })),
    'TRUST_WRONG',
    receipt(4),
  ],
  ['keys that are not there any more', again(receipt(4), () => ({ trust: [] })), 'TRUST_WRONG', receipt(4)],
  ['a proof of an earlier day', proofAgain(proof(4), ({ day }) => ({ day: day - 7 })), 'READ_BACK_WRONG', proof(4)],
  [
    'a proof of days that were not read',
    proofAgain(proof(4), ({ receipts }) => ({ upTo: Array.from({ length: 7 }, () => receipts) })),
    'READ_BACK_WRONG',
    proof(4),
  ],
  ['proofs of more than was unproven', proofAgain(proof(8), () => ({ proven: 1 })), 'READ_BACK_WRONG', proof(8)],
];

describe('what members were given', () => {
  test('is proven by its receipts and proofs, a line a member', async () => {
    const report = await prove(world.vault);
    expect([told(report), report.findings, report.status]).toEqual([[], [], 'proven']);
    const objects = world.shared().length;
    const newest = sha256(world.vault.objects.get(receipt(4)) ?? Buffer.of());
    expect(report.members).toMatchObject([
      { member: 'bank-a', status: 'proven', receipts: 4, proofs: 8, totals: { objects }, head: { sha256: newest } },
      { member: 'bank-b', status: 'proven', receipts: 4, proofs: 0, totals: { objects } },
    ]);
  });

  test.each(WRONG)('%s is found by name', async (_, spoil, code, about) => {
    const report = await prove(await changed(spoil));
    expect(told(report).map(({ code: each, about: what }) => [each, what])).toContainEqual([code, about]);
    expect([report.status, codes(report, 'bank-b')]).toEqual(['violated', []]);
  });

  test('one that is missing takes nothing from what the others prove', async () => {
    const vault = await changed(async (all) => {
      await signAgain<DeliveryReceipt>(all, receipt(4), ({ totals }) => ({ totals: { ...totals, files: 0 } }));
      all.delete(receipt(2));
    });
    const report = await prove(vault);
    expect(codes(report)).toEqual(['LINK_MISSING', 'TOTALS_WRONG']);
    for (const key of [receipt(2), proof(3)])
      expect(codes(await prove(await changed((all) => all.delete(key))))).toEqual(['LINK_MISSING']);
  });

  test('one bit of any receipt, proof or signature of theirs makes it violated', async () => {
    for (const [key, bytes] of world.vault.objects) {
      if (!/^(deliveries|proofs)\//.test(key)) continue;
      const vault = await changed((all) => {
        const at = Math.floor(bytes.length / 2);
        all.set(key, Uint8Array.from(bytes.map((byte, n) => (n === at ? byte ^ 1 : byte))));
      });
      expect([key, (await prove(vault)).status]).toEqual([key, 'violated']);
    }
  });

  test('any receipt, proof or signature that is missing shows, but the newest receipt of which no proof tells', async () => {
    const unseen = [receipt(4, 'bank-b'), proof(8)];
    for (const key of world.vault.objects.keys()) {
      if (!/^(deliveries|proofs)\//.test(key) || unseen.includes(key)) continue;
      expect([key, (await prove(await changed((all) => all.delete(key)))).status]).not.toEqual([key, 'proven']);
    }
    for (const key of unseen) expect((await prove(await changed((all) => all.delete(key)))).status).toBe('proven');
  });

  test('a newest receipt that was removed is told by the proofs, as what may not have been copied yet', async () => {
    const report = await prove(await changed((all) => all.delete(receipt(4))));
    expect([codes(report), report.status]).toEqual([['RECEIPTS_MISSING'], 'unknown']);
    const none = await prove(
      await changed((all) => {
        for (const key of all.keys()) if (key.startsWith('deliveries/bank-a/')) all.delete(key);
      }),
    );
    expect([codes(none), none.members[0]]).toMatchObject([['RECEIPTS_MISSING'], { receipts: 0, head: null }]);
  });

  test('a history whose end was removed is told by the receipts', async () => {
    const report = await prove(
      await changed((all) => {
        const key = chainManifestKey('second', 3);
        all.delete(signatureKey(key, sha256(all.get(key) ?? Buffer.of())));
        all.delete(key);
      }),
    );
    expect([codes(report), codes(report, 'bank-b'), report.status]).toEqual([
      ...[['DELIVERED_UNKNOWN'], ['DELIVERED_UNKNOWN']],
      'unknown',
    ]);
  });

  test('is unknown without a key, and refused under another one, in few words however many there are', async () => {
    const without = await prove(world.vault, { publicKeys: [] });
    expect([codes(without), without.members[0]?.status]).toEqual([['NO_PUBLIC_KEY'], 'unknown']);
    const other = await prove(world.vault, { publicKeys: [await newToySigner().publicKeyPem()] });
    expect([codes(other), other.members[0]?.status]).toEqual([['SIGNER_UNTRUSTED'], 'violated']);
    expect(other.members[0]?.findings).toHaveLength(3);
    expect(other.members[0]?.findings.at(-1)?.text).toContain('(and 9 more like it)');
  });

  test('by a key that the given one endorses is proven, and such a key that is gone is missed', async () => {
    const signer = newToySigner();
    const vault = await changed(async (all) => {
      const own = new MemoryVault();
      await publishKey(own, signer, unprovenSigner);
      for (const [key, bytes] of own.objects) all.set(key, bytes);
      await signAgain(all, receipt(4), () => ({}), signer);
    });
    expect((await prove(vault)).status).toBe('proven');
    vault.objects.delete(`keys/${await signer.fingerprint()}.pem`);
    expect((await prove(vault)).findings.map(({ code }) => code)).toContain('KEY_MISSING');
  });

  test('is proven while it grows', async () => {
    const { vault, history, second, run } = await filled();
    let growing: Promise<unknown> | undefined;
    const grow = async () => {
      await history.seal(Buffer.from('f'));
      await second.seal(Buffer.from('2 f'));
      await run();
    };
    for (const moment of ['chain/second/', 'deliveries/bank-a/', 'keys/']) {
      growing = undefined;
      const seen = Object.assign(Object.create(vault) as MemoryVault, {
        get: async (key: string) => {
          if (key.startsWith(moment)) await (growing ??= grow());
          return vault.get(key);
        },
      });
      const report = await prove(seen);
      expect([moment, growing !== undefined, told(report), report.status]).toEqual([moment, true, [], 'proven']);
    }
  });

  test('is of no concern at a member, nor where single sets are asked for', async () => {
    const share = await changed((all) => {
      for (const key of all.keys()) if (!/^(chain|keys)\/|^format/.test(key)) all.delete(key);
    });
    expect(await prove(share)).toMatchObject({ status: 'proven', members: [] });
    expect((await prove(world.vault, { sets: ['validator/1'] })).members).toEqual([]);
    expect(await prove(world.vault, { setsAlone: true })).toMatchObject({ members: [], chains: [] });
  });
});
