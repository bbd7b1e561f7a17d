import { DrillRecord } from '../core/drill.ts';
import type { Signer } from '../core/ports.ts';
import type { Vault } from '../core/vault.ts';
import { putSigned, readDocument } from './documents.ts';
import { drillKey, drillsPrefix, signatureKey } from './layout.ts';
import { newestNumber } from './numbered.ts';
import { orFinding } from './prove-chain.ts';
import { checkSigned, publishKey, type Trust } from './trust.ts';

/** Signs a drill's record and stores it behind the newest one. Resolves to its key. */
export async function recordDrill(vault: Vault, signer: Signer, drill: Omit<DrillRecord, 'signer'>): Promise<string> {
  const record: DrillRecord = { ...drill, signer: await publishKey(vault, signer) };
  // Whoever else records at the same time takes one number each.
  for (let n = (await numberOfNewest(vault, drill.node)) + 1; ; n += 1) {
    const key = drillKey(drill.node, n);
    if ((await putSigned(vault, signer, key, record)).won) return key;
  }
}

const numberOfNewest = (vault: Vault, node: string): Promise<number> =>
  newestNumber(vault, { prefix: drillsPrefix(node), keyOf: (n) => drillKey(node, n) });

/** The newest record that a trusted key has signed as it lies there; undefined if there is none, or it is in doubt. */
export async function newestDrill(vault: Vault, node: string, trust: Trust): Promise<DrillRecord | undefined> {
  const key = drillKey(node, await numberOfNewest(vault, node));
  const drill = await orFinding([], key, () => readDocument(vault, key, DrillRecord));
  if (drill === undefined) return undefined;
  const { value, bytes } = drill;
  const checked = await checkSigned(vault, trust, value.signer, bytes, (digest) => signatureKey(key, digest));
  return checked === 'good' ? value : undefined;
}
