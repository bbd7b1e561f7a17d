import { createHash } from 'node:crypto';
import { LedgerholdError } from '../core/errors.ts';
import { KeyTaken, NoSuchKey, type StoredObject, type Vault } from '../core/vault.ts';
import type { Document } from './documents.ts';
import { signatureKey } from './layout.ts';

/** Objects of the first vault are not what was sealed; the second was given everything but them. */
export class CopyRefused extends LedgerholdError {
  override readonly name = 'CopyRefused';
  readonly kind = 'violation';
  readonly keys: readonly string[];
  constructor(keys: readonly string[]) {
    const more = keys.length > 1 ? `, and ${keys.length - 1} more` : '';
    super(
      `the second vault was not given what is damaged in the first: the bytes of ${keys[0]} have changed${more}`,
      'Run `ledgerhold verify --all`, and bring back what it names from another copy; then copy again.',
    );
    this.keys = keys;
  }
}

/** Two vaults that should be copies hold different bytes under one key. */
export class CopiesDiffer extends LedgerholdError {
  override readonly name = 'CopiesDiffer';
  readonly kind = 'violation';
  constructor(key: string, from: Vault, to: Vault) {
    super(
      `${key} is not the same in ${from.url} and in ${to.url}`,
      'Run `ledgerhold verify --all` on both; give the second a place of its own if it is the copy of another vault.',
    );
  }
}

/** A way within a store, so that large objects need not be sent through this process. */
export interface LargeCopy {
  /** From this size on, in bytes. */
  readonly atLeast: number;
  /**
   * Copies an object under a key that is free, and resolves to its size; to undefined, and writes nothing, if its bytes
   * are not what `sha256` says. Rejects as `read` and `writeOnce` of the vaults do.
   */
  copy(key: string, sha256: string | undefined, signal: AbortSignal): Promise<number | undefined>;
}

/** A copy on its way from one vault to another. */
export interface Crossing {
  readonly from: Vault;
  readonly to: Vault;
  readonly signal: AbortSignal;
  /** Keys in `from` that are missing or not what they must be. */
  readonly damaged: Set<string>;
  readonly onObject: (key: string, size: number) => void;
  readonly large: LargeCopy | undefined;
}

/**
 * Copies one object, unless `to` has it. If it is not what `sha256` says, it is noted as damaged and not copied.
 * Resolves to false if `from` has it no more: retention may be at work there. Throws `CopiesDiffer`.
 */
export async function copyObject(crossing: Crossing, object: StoredObject, sha256?: string): Promise<boolean> {
  const { key } = object;
  const { damaged, onObject } = crossing;
  const damage = new CopyRefused([key]);
  try {
    onObject(key, await carry(crossing, object, sha256, damage));
  } catch (error) {
    if (error instanceof NoSuchKey) return false;
    if (error === damage) damaged.add(key);
    else if (error instanceof KeyTaken) await expectSame(crossing, key, sha256);
    else throw error;
  }
  return true;
}

/** Resolves to the size of the copy. Throws `damage` if the object is not what `sha256` says. */
async function carry(
  { from, to, signal, large }: Crossing,
  { key, size }: StoredObject,
  sha256: string | undefined,
  damage: CopyRefused,
): Promise<number> {
  if (large === undefined || size < large.atLeast) {
    return (await to.writeOnce(key, exactly(from.read(key), sha256, damage), signal)).size;
  }
  const copied = await large.copy(key, sha256, signal);
  if (copied === undefined) throw damage;
  return copied;
}

/** Reads both copies of an object. Throws `CopiesDiffer`, unless it is `from` that is damaged. */
export async function expectSame({ from, to, damaged }: Crossing, key: string, sha256?: string): Promise<void> {
  const ours = await digestOf(from, key);
  if (sha256 !== undefined && ours !== sha256) damaged.add(key);
  else if (ours !== (await digestOf(to, key))) throw new CopiesDiffer(key, from, to);
}

/** Copies a document behind its signature; it is damaged if no signature is over its bytes. Throws `CopiesDiffer`. */
export async function copyDocument(crossing: Crossing, { key, bytes, sha256 }: Document<unknown>): Promise<void> {
  const { from, to, damaged, onObject } = crossing;
  const signatureAt = signatureKey(key, sha256);
  const signature = await from.get(signatureAt);
  if (signature === undefined) {
    damaged.add(key);
    return;
  }
  if (await to.putOnce(signatureAt, signature)) onObject(signatureAt, signature.length);
  if (await to.putOnce(key, bytes)) onObject(key, bytes.length);
  else await expectSame(crossing, key);
}

async function* exactly(source: AsyncIterable<Uint8Array>, sha256: string | undefined, damage: CopyRefused) {
  const hash = createHash('sha256');
  for await (const chunk of source) {
    hash.update(chunk);
    yield chunk;
  }
  if (sha256 !== undefined && hash.digest('hex') !== sha256) throw damage;
}

async function digestOf(vault: Vault, key: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of vault.read(key)) hash.update(chunk);
  return hash.digest('hex');
}
