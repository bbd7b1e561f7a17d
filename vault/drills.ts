import type { DrillRecord } from '../core/drill.ts';
import type { Signer } from '../core/ports.ts';
import type { Vault } from '../core/vault.ts';
import { putSigned } from './documents.ts';
import { drillKey, drillsPrefix, numberOf } from './layout.ts';
import { publishKey } from './trust.ts';

/** Signs a drill's record and stores it behind the newest one. Resolves to its key. */
export async function recordDrill(vault: Vault, signer: Signer, drill: Omit<DrillRecord, 'signer'>): Promise<string> {
  const record: DrillRecord = { ...drill, signer: await publishKey(vault, signer) };
  // Whoever else records at the same time takes one number each.
  for (let n = (await newestNumber(vault, drill.node)) + 1; ; n += 1) {
    const key = drillKey(drill.node, n);
    if ((await putSigned(vault, signer, key, record)).won) return key;
  }
}

async function newestNumber(vault: Vault, node: string): Promise<number> {
  let newest = 0;
  for await (const { key } of vault.list(drillsPrefix(node))) newest = numberOf(key) ?? newest;
  return newest;
}
