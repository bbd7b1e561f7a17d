import { createHash } from 'node:crypto';
import type { ChainRecord, FileCompression } from '../core/chain.ts';
import type { Sha256 } from '../core/names.ts';
import type { Vault } from '../core/vault.ts';
import { ArtifactDamaged } from './artifact.ts';
import { decompressing } from './compression.ts';
import { chainFileKey } from './layout.ts';

/** What lies under a chain file's key, when the last byte of it has been taken. */
export interface Lying {
  readonly size: number;
  readonly sha256: Sha256;
}

/** A chain file being read: its blocks' bytes, and what lies there. */
export interface OpenChainFile {
  readonly blocks: AsyncIterable<Uint8Array>;
  /** When the last of `blocks` has been taken. */
  lying(): Lying;
}

/** Hashes what lies there while its blocks are read. What cannot be decompressed fails with `ArtifactDamaged`. */
export function openChainFile(
  vault: Vault,
  node: string,
  { name, compression }: Pick<ChainRecord['file'], 'name' | 'compression'>,
  onBytes: (count: number) => void = () => {},
): OpenChainFile {
  const key = chainFileKey(node, name);
  const hash = createHash('sha256');
  let size = 0;
  async function* stored(): AsyncGenerator<Uint8Array> {
    for await (const bytes of vault.read(key)) {
      hash.update(bytes);
      size += bytes.length;
      onBytes(bytes.length);
      yield bytes;
    }
  }
  return {
    blocks: decompressed(stored(), compression, key),
    lying: () => ({ size, sha256: hash.digest('hex') as Sha256 }),
  };
}

function decompressed(source: AsyncIterable<Uint8Array>, compression: FileCompression, key: string) {
  if (compression === 'none') return source;
  const damaged = (cause: unknown) => new ArtifactDamaged(key, `it is not whole ${compression}`, { cause });
  return decompressing(compression, damaged)(source);
}
