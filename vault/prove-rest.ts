import { DrillRecord } from '../core/drill.ts';
import { type Finding, violation } from '../core/proof.ts';
import type { Vault } from '../core/vault.ts';
import { isKeyOf, verifySignature } from '../io/signatures.ts';
import { manifestOfSlot, SETS } from './chain.ts';
import { readDocument } from './documents.ts';
import { HISTORY } from './history.ts';
import { endorsementsIn, numberOf, publicKeyKey, signatureKey } from './layout.ts';
import { readLease } from './leases.ts';
import { orFinding } from './prove-chain.ts';
import { checkSigned, type Trust } from './trust.ts';

/** Every key in the vault is what its name says, every signer's key is there, every endorsement by a trusted key holds. */
export async function proveKeys(vault: Vault, trust: Trust, signers: ReadonlySet<string>): Promise<Finding[]> {
  const found: Finding[] = [];
  const missing = new Set(signers);
  for await (const { key } of vault.list('keys/')) {
    const bytes = (await vault.get(key)) ?? new Uint8Array();
    const endorsement = endorsementsIn(key);
    if (endorsement === undefined) {
      const fingerprint = /^keys\/([0-9a-f]{64})\.pem$/.exec(key)?.[1];
      if (fingerprint === undefined || !isKeyOf(fingerprint, bytes)) {
        found.push(violation('KEY_CHANGED', key, `${key} is not the public key that its name says`));
      } else missing.delete(fingerprint);
      continue;
    }
    const endorser = trust.get(endorsement.by);
    const pem = await vault.get(publicKeyKey(endorsement.fingerprint));
    if (endorser !== undefined && (pem === undefined || !verifySignature(endorser, pem, bytes))) {
      found.push(violation('ENDORSEMENT_WRONG', key, `${key} is no signature of ${endorsement.by} over that key`));
    }
  }
  return [
    ...found,
    ...[...missing].map((each) => violation('KEY_MISSING', publicKeyKey(each), `${publicKeyKey(each)} is missing`)),
  ];
}

/**
 * Leases prove nothing and are not signed; damage to them shows all the same. One that says of a slot that it was sealed
 * raises a doubt if no manifest is there: `sealed` has the slots with one, as `<node>/<slot>`.
 */
export async function proveLeases(vault: Vault, sealed: ReadonlySet<string>): Promise<Finding[]> {
  const found: Finding[] = [];
  let before: { slot: string; n: number } | undefined;
  for await (const { key } of vault.list('leases/')) {
    const n = numberOf(key);
    const slot = key.slice(0, key.lastIndexOf('/'));
    if (n === undefined) continue;
    if (n !== (before?.slot === slot ? before.n : 0) + 1)
      found.push(violation('LEASE_MISSING', key, `a version before ${key} is missing`));
    before = { slot, n };
    const lease = await orFinding(found, key, () => readLease(vault, key));
    if (lease?.value.state === 'sealed') found.push(...(await proveSealed(vault, key, lease.value.head, sealed)));
  }
  return found;
}

/** The manifest is written before the lease says so: it was removed from the end of its chain, or is yet to be copied. */
async function proveSealed(vault: Vault, key: string, head: number, sealed: ReadonlySet<string>): Promise<Finding[]> {
  const [, node = '', slot = ''] = key.split('/');
  if (sealed.has(`${node}/${slot}`)) return [];
  // Sealed since the chain was read, perhaps; what is damaged there has been told by the chain.
  const damage: Finding[] = [];
  const manifest = await orFinding(damage, key, () => sealedAt(vault, { node, slot }, head));
  if (manifest !== undefined || damage.length > 0) return [];
  const text = `${key} says that slot ${slot} was sealed, and there is no manifest of it: removed, or not copied yet`;
  return [{ level: 'unknown', code: 'SET_MISSING', about: key, text }];
}

/** A slot is one of sets or one of a chain: its node does not tell. */
const sealedAt = async (vault: Vault, slot: { readonly node: string; readonly slot: string }, head: number) =>
  (await manifestOfSlot(vault, SETS, slot, head)) ?? (await manifestOfSlot(vault, HISTORY, slot, head));

export async function proveDrills(vault: Vault, trust: Trust): Promise<Finding[]> {
  const found: Finding[] = [];
  for await (const { key } of vault.list('drills/')) {
    if (numberOf(key) === undefined) continue;
    const drill = await orFinding(found, key, () => readDocument(vault, key, DrillRecord));
    if (drill === undefined) continue;
    const checked = await checkSigned(vault, trust, drill.value.signer, drill.bytes, (digest) =>
      signatureKey(key, digest),
    );
    if (checked === 'good' || (checked === 'untrusted' && trust.size === 0)) continue;
    found.push(violation('SIGNATURE_WRONG', key, `${key} has no good signature by a trusted key (${checked})`));
  }
  return found;
}
