import { ComponentName, NodeName } from '../core/names.ts';
import type { LackingSnapshot } from '../core/snapshot-copies.ts';
import { isReference } from '../core/snapshot-janitor.ts';
import type { Vault } from '../core/vault.ts';
import { copyKey } from './layout.ts';
import { manifestSeqs, nodesIn, readManifest } from './sets.ts';

/**
 * Snapshots of sets in `from` that `to` has no copy of, of each node the newest first, at most `most`. What has expired
 * has no reference any more, and is not lacking.
 */
export async function lackingCopies(from: Vault, to: Vault, most: number): Promise<LackingSnapshot[]> {
  const lacking: LackingSnapshot[] = [];
  for (const node of await nodesIn(from)) lacking.push(...(await lackingOf(from, to, node, most - lacking.length)));
  return lacking;
}

async function lackingOf(from: Vault, to: Vault, node: string, most: number): Promise<LackingSnapshot[]> {
  const lacking: LackingSnapshot[] = [];
  const open = await uncopied(from, to, node);
  // What is open is new as a rule, so that few manifests are read; but for what belongs to no set, until it is swept.
  for (const seq of (await manifestSeqs(from, node)).toReversed()) {
    if (open.size === 0) break;
    const { components = [] } = (await readManifest(from, node, seq))?.value ?? {};
    for (const { component, artifacts } of components) {
      if (lacking.length >= most) return lacking;
      const cited = artifacts.filter(isReference).some(({ key }) => open.delete(key));
      if (cited) lacking.push(lackingSnapshot(node, seq, component));
    }
  }
  return lacking;
}

const lackingSnapshot = (node: string, seq: number, component: string): LackingSnapshot => ({
  ...{ node: NodeName.parse(node), seq: seq as LackingSnapshot['seq'], component: ComponentName.parse(component) },
});

/** Keys of references in `from` beside which `to` has no copy. */
async function uncopied(from: Vault, to: Vault, node: string): Promise<Set<string>> {
  const open = new Map<string, string>();
  const runs = `sets/${node}/runs/`;
  for await (const { key } of from.list(runs)) {
    const [, , , slot = '', fence = '', name = '', further] = key.split('/');
    if (further !== undefined || !isReference({ key })) continue;
    open.set(copyKey({ node, slot, fence: Number(fence) }, name.replace(/\.snapshot\.json$/, '')), key);
  }
  if (open.size === 0) return new Set();
  for await (const { key } of to.list(runs)) open.delete(key);
  return new Set(open.values());
}
