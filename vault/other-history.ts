import type { ChainManifest } from '../core/chain.ts';
import type { Finding } from '../core/proof.ts';
import type { Seal, Trail } from '../core/seen.ts';
import type { Vault } from '../core/vault.ts';
import { headNumber } from './chain.ts';
import type { Document } from './documents.ts';
import { ForeignVault } from './format.ts';
import { HISTORY } from './history.ts';
import { proveLinkOf } from './prove-chain.ts';
import { nodesIn } from './sets.ts';
import type { Trust } from './trust.ts';

/**
 * The histories of chains as another copy of them has them, by their manifests and signatures alone: an export of these
 * does. Only what a trusted key has signed is of the trails; all else is a doubt, never a charge: whoever keeps a copy
 * can spoil it. Rejects with `ForeignVault` if it is of another network.
 */
export async function readOther(
  vault: Vault,
  { network, trust, signal }: { network: string | undefined; trust: Trust; signal: AbortSignal },
): Promise<{ trails: Trail[]; findings: Finding[] }> {
  const trails: Trail[] = [];
  const findings: Finding[] = [];
  for (const node of await nodesIn(vault, 'chain')) {
    const context = { vault, node, network: undefined, trust, slots: new Map<string, number>() };
    const seals: Seal[] = [];
    const doubts: Finding[] = [];
    let before: Document<ChainManifest> | undefined;
    const last = await headNumber(vault, HISTORY, node);
    for (let seq = 1; seq <= last; seq++) {
      signal.throwIfAborted();
      const link = await proveLinkOf(context, HISTORY, seq, before);
      before = link.manifest;
      if (before !== undefined) refuseForeign(vault, network, before.value.network);
      doubts.push(...link.findings);
      if (before !== undefined && link.findings.length === 0)
        seals.push({ seq: before.value.seq, sha256: before.sha256 });
    }
    if (last > 0) trails.push({ kind: 'chain', node, seals });
    findings.push(...asDoubt(vault, node, doubts));
  }
  return { trails, findings };
}

function refuseForeign({ url }: Vault, network: string | undefined, theirs: string): void {
  if (network === undefined || network === theirs) return;
  throw new ForeignVault(
    `${url} holds the history of network ${theirs}, not of ${network}`,
    'Compare copies of the same network.',
  );
}

function asDoubt({ url }: Vault, node: string, doubts: readonly Finding[]): Finding[] {
  const [first] = doubts;
  if (first === undefined) return [];
  const more = doubts.length > 1 ? ` (and ${doubts.length - 1} more)` : '';
  const text = `at ${url} ${node} is not proven, and so not compared there: ${first.text}${more}`;
  return [{ level: 'unknown', code: 'OTHER_UNPROVEN', about: url, text }];
}
