import { createHash } from 'node:crypto';
import type { Finding } from '../core/proof.ts';
import type { Artifact } from '../core/receipts.ts';
import type { Vault } from '../core/vault.ts';

export interface BytesOptions {
  readonly vault: Vault;
  readonly signal?: AbortSignal;
  readonly onBytes?: (count: number, about: string) => void;
}

/** Reads an artifact as it is stored and holds it against its digest. Streams. */
export async function proveBytes(
  { key, sha256 }: Pick<Artifact, 'key' | 'sha256'>,
  options: BytesOptions,
): Promise<Finding[]> {
  const hash = createHash('sha256');
  for await (const chunk of options.vault.read(key)) {
    options.signal?.throwIfAborted();
    hash.update(chunk);
    options.onBytes?.(chunk.length, key);
  }
  if (hash.digest('hex') === sha256) return [];
  const text = `the bytes of ${key} are not those that were sealed`;
  return [{ level: 'violation', code: 'BYTES_CHANGED', about: key, text }];
}
