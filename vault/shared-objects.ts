import type { ChainManifest, ChainRecord } from '../core/chain.ts';
import type { Listed, Shared, Unit } from '../core/delivery-proof.ts';
import type { Sha256 } from '../core/names.ts';
import type { Vault } from '../core/vault.ts';
import { sha256 as digestOf } from '../io/digest.ts';
import type { Document } from './documents.ts';
import { chainFileKey, FORMAT_KEY, signatureKey } from './layout.ts';

/** What a manifest brings, by its own word and that of those of its records that could be read. */
export function unitOf({ key, sha256, bytes, value }: Document<ChainManifest>, records: readonly ChainRecord[]): Unit {
  const { node, seq, sealedAt, head, agreement } = value;
  const document = (at: string, digest: Sha256): Listed => {
    return { key: at, sha256: digest, size: undefined, kind: 'document' };
  };
  const objects: Listed[] = [
    ...records.map(({ file: { name, size, sha256: digest } }): Listed => {
      return { key: chainFileKey(node, name), sha256: digest, size, kind: 'file' };
    }),
    ...value.records.map((record) => document(record.key, record.sha256)),
    document(agreement.key, agreement.sha256),
    { key: signatureKey(key, sha256), sha256: undefined, size: undefined, kind: 'seal' },
    { key, sha256, size: bytes.length, kind: 'seal' },
  ];
  return { node, seq, sha256, sealedAt, head, objects };
}

/** The same with the sizes of what lies there, where the history does not say them. */
export const sized = (units: readonly Unit[], sizes: ReadonlyMap<string, number>): Unit[] =>
  units.map((unit) => ({
    ...unit,
    objects: unit.objects.map((each) => ({ ...each, size: each.size ?? sizes.get(each.key) })),
  }));

/** All that members are given: what the histories bring, the format, and the public keys with their endorsements. */
export async function sharedObjects(vault: Vault, units: readonly Unit[]): Promise<Shared> {
  const objects = new Map<string, Listed>();
  const byNumber = new Map<string, Unit>();
  for (const unit of units) {
    byNumber.set(`${unit.node}/${unit.seq}`, unit);
    for (const each of unit.objects) objects.set(each.key, each);
  }
  const keys = [FORMAT_KEY];
  for await (const { key } of vault.list('keys/')) keys.push(key);
  for (const key of keys) {
    const bytes = await vault.get(key);
    if (bytes !== undefined) objects.set(key, { key, sha256: digestOf(bytes), size: bytes.length, kind: 'document' });
  }
  return { objects, unit: (node, seq) => byNumber.get(`${node}/${seq}`) };
}
