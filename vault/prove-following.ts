import { ChainManifest } from '../core/chain.ts';
import { type Followed, followedIn } from '../core/following.ts';
import { setId } from '../core/names.ts';
import { type Finding, type ReceiptPair, violation } from '../core/proof.ts';
import type { Vault } from '../core/vault.ts';
import { readDocument } from './documents.ts';
import { chainManifestKey } from './layout.ts';
import { orFinding } from './prove-chain.ts';

/**
 * Of each capture that was taken after a chain: which of its blocks it covers, held against the history in this vault. The
 * history's own proof is apart from this.
 */
export async function proveFollowing(
  vault: Vault,
  receipts: ReadonlyMap<string, Pick<ReceiptPair, 'end'>>,
): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const [component, { end }] of receipts) {
    const followed = followedIn(end?.value.notes ?? {});
    if (followed === undefined) continue;
    if (followed !== 'unreadable') findings.push(...(await proveOne(vault, component, followed)));
    else findings.push(violation('CHAIN_NOT_FOLLOWED', component, `${component} does not say what it was taken after`));
  }
  return findings;
}

async function proveOne(vault: Vault, component: string, followed: Followed): Promise<Finding[]> {
  const { chain, seq, manifest, block, hash } = followed;
  const key = chainManifestKey(chain, seq);
  const findings: Finding[] = [];
  const stored = await orFinding(findings, key, () => readDocument(vault, key, ChainManifest));
  if (findings.length > 0) return findings;
  if (stored === undefined) {
    const text = `${component} was taken after ${setId(chain, seq)}, which is not in this vault`;
    return [{ level: 'unknown', code: 'CHAIN_ABSENT', about: key, text }];
  }
  const { head } = stored.value;
  if (stored.sha256 !== manifest || head?.number !== block || head.hash !== hash) {
    const text = `${component} says that it was taken after ${setId(chain, seq)} up to block ${block}, and that is another one`;
    return [violation('CHAIN_NOT_FOLLOWED', key, text)];
  }
  const text = `${component} was taken after ${setId(chain, seq)} was sealed: it covers blocks 0 to ${block} (${hash}) of ${chain}`;
  return [{ level: 'note', code: 'PAYLOADS_COVERED', about: component, text }];
}
