import { HistoryDamaged } from '../core/chain.ts';
import type { Vault } from '../core/vault.ts';
import { sha256 } from '../io/digest.ts';
import { readLink } from './chain.ts';
import { citedRecord, HISTORY } from './history.ts';
import { chainFileKey, chainPrefix, recordKey, signatureKey } from './layout.ts';
import { isOfChain } from './uncited.ts';

/** An object as it was sealed. */
export interface Listed {
  readonly key: string;
  readonly size: number;
  readonly sha256: string;
}

/**
 * The object of that key if it is what manifest `seq` of a chain lists: a chain file, its record, the evidence, the
 * manifest itself or its signature. Undefined: it lists nothing of that name. Rejects with `ChainDamaged`, and with
 * `HistoryDamaged` where what it lists is not there.
 */
export async function listedObject(vault: Vault, node: string, seq: number, key: string): Promise<Listed | undefined> {
  // Whatever a manifest cites: nothing goes out but what a chain's history consists of.
  if (!isOfChain(node, key)) return undefined;
  const manifest = await readLink(vault, HISTORY, node, seq);
  if (manifest === undefined) return undefined;
  const { agreement, records } = manifest.value;
  if (key === manifest.key) return { key, size: manifest.bytes.length, sha256: manifest.sha256 };
  if (key === signatureKey(manifest.key, manifest.sha256)) return small(vault, key);
  if (key === agreement.key) return small(vault, key, agreement.sha256);
  const ofFile = recordKey(node, key.slice(chainPrefix(node).length));
  const cited = records.find((each) => each.key === key || each.key === ofFile);
  if (cited === undefined) return undefined;
  const { value, bytes } = await citedRecord(vault, cited.key, cited.sha256);
  if (cited.key === key) return { key, size: bytes.length, sha256: cited.sha256 };
  const { name, size, sha256: digest } = value.file;
  if (chainFileKey(node, name) !== key || (await vault.stat(key))?.size !== size) throw damaged(key);
  return { key, size, sha256: digest };
}

async function small(vault: Vault, key: string, sealed?: string): Promise<Listed> {
  const bytes = await vault.get(key);
  const digest = bytes && sha256(bytes);
  if (bytes === undefined || digest === undefined || (sealed !== undefined && digest !== sealed)) throw damaged(key);
  return { key, size: bytes.length, sha256: digest };
}

const damaged = (key: string): HistoryDamaged =>
  new HistoryDamaged(
    `${key} is missing, or not what was sealed there`,
    'Put it back byte for byte, from a member’s bucket or an older version of the object.',
  );
