import { createHash } from 'node:crypto';
import { LedgerholdError } from '../core/errors.ts';
import type { ByteFilter, Encryption } from '../core/ports.ts';
import type { Artifact, Encoding } from '../core/receipts.ts';
import type { Vault } from '../core/vault.ts';
import { compressing, decompressing } from './compression.ts';
import { paced } from './pace.ts';

/** What lies under the key is not what was stored there. */
export class ArtifactDamaged extends LedgerholdError {
  override readonly name = 'ArtifactDamaged';
  readonly kind = 'violation';
  constructor(key: string, why: string, options?: ErrorOptions) {
    super(
      `artifact ${key} is damaged: ${why}`,
      'Use another set; `ledgerhold verify --all` says which are whole.',
      options,
    );
  }
}

/** An encrypted artifact was to be opened without what opens it. */
export class IdentityNeeded extends LedgerholdError {
  override readonly name = 'IdentityNeeded';
  readonly kind = 'usage';
  constructor(key: string, encoding: Encoding) {
    super(`artifact ${key} is encrypted (${encoding})`, 'Give the identity that opens it, with --identity FILE.');
  }
}

export interface StoreOptions {
  /** What `Artifact.content` is to say. */
  readonly content: string;
  readonly compress: 'zstd' | 'gzip' | 'none';
  readonly encryption: Encryption;
  /** What the encryption binds the bytes to, where it can. */
  readonly context: Readonly<Record<string, string>>;
  /** Of the source's bytes; absent for as fast as it goes. */
  readonly bytesPerSecond?: number;
  readonly signal?: AbortSignal;
  /** The source's bytes so far. */
  readonly onBytes?: (bytes: number) => void;
}

/**
 * Stores a stream in one pass: counted, compressed, encrypted, hashed, written once. Memory does not grow with its
 * length. Rejects as `Vault.writeOnce` does; if the source throws, with that, and nothing is stored.
 */
export async function storeArtifact(
  vault: Vault,
  key: string,
  source: AsyncIterable<Uint8Array>,
  options: StoreOptions,
): Promise<Artifact> {
  const { content, compress, encryption, bytesPerSecond, signal } = options;
  let size = 0;
  const count = (bytes: Uint8Array) => {
    size += bytes.length;
    options.onBytes?.(size);
  };
  const captured = tapped(bytesPerSecond === undefined ? source : paced(source, bytesPerSecond, signal), count);
  const compressed = compress === 'none' ? captured : compressing(compress)(captured);
  const stored = await vault.writeOnce(key, encryption.filter(options.context)(compressed), signal);
  const encodings = [compress === 'none' ? undefined : compress, encryption.encoding].filter(isGiven);
  return { ...stored, content, encodings, plain: { size } };
}

const isGiven = (encoding: Encoding | undefined): encoding is Encoding => encoding !== undefined;

/** Lets bytes through after a look at each piece; `atEnd` may still fail the stream. */
async function* tapped(
  source: AsyncIterable<Uint8Array>,
  look: (bytes: Uint8Array) => void,
  atEnd?: () => void,
): AsyncGenerator<Uint8Array, void> {
  for await (const bytes of source) {
    look(bytes);
    yield bytes;
  }
  atEnd?.();
}

/**
 * The bytes that were captured. What is stored is hashed while it is read: the stream fails, at its end if not before,
 * with `ArtifactDamaged` if it is not what the artifact says. At once: `IdentityNeeded` if it is encrypted and `decrypt`
 * is not given.
 */
export function openArtifact(vault: Vault, artifact: Artifact, decrypt?: ByteFilter): AsyncIterable<Uint8Array> {
  const { key, encodings, plain } = artifact;
  const filters = encodings.toReversed().map((encoding) => decoding(key, encoding, decrypt));
  const stored = verified(vault.read(key), artifact);
  let size = 0;
  const opened = filters.reduce<AsyncIterable<Uint8Array>>((bytes, filter) => filter(bytes), stored);
  const count = (bytes: Uint8Array) => {
    size += bytes.length;
  };
  return tapped(opened, count, () => {
    if (size !== plain.size) throw new ArtifactDamaged(key, `it holds ${size} bytes, not ${plain.size}`);
  });
}

function verified(source: AsyncIterable<Uint8Array>, { key, size, sha256 }: Artifact): AsyncIterable<Uint8Array> {
  const hash = createHash('sha256');
  let read = 0;
  const count = (bytes: Uint8Array) => {
    hash.update(bytes);
    read += bytes.length;
  };
  return tapped(source, count, () => {
    if (read !== size) throw new ArtifactDamaged(key, `it has ${read} bytes, not ${size}`);
    if (hash.digest('hex') !== sha256) throw new ArtifactDamaged(key, 'its SHA-256 is another');
  });
}

function decoding(key: string, encoding: Encoding, decrypt: ByteFilter | undefined): ByteFilter {
  if (encoding === 'zstd' || encoding === 'gzip') {
    return decompressing(encoding, (cause) => new ArtifactDamaged(key, `it is not whole ${encoding}`, { cause }));
  }
  if (decrypt === undefined) throw new IdentityNeeded(key, encoding);
  return decrypt;
}
