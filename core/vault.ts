import { LedgerholdError } from './errors.ts';
import type { Sha256 } from './names.ts';

/** One object in a vault. `size` in bytes. */
export interface StoredObject {
  readonly key: string;
  readonly size: number;
  readonly modifiedAt: Date;
}

/** Bytes `start` to `end`, both included, counted from 0. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/**
 * The bucket or folder that holds everything. Keys are `/`-separated, relative, of printable ASCII, without `.` or `..`
 * segments; any other is `InvalidKey` (`vault/keys.ts`). No key is also the folder of others (`a` beside `a/b`): a file
 * system cannot hold both. Every method rejects with `VaultUnavailable` when the store cannot be reached or refuses us,
 * and with nothing else unless said here. One conformance suite (`test/conformance/behaves-like-a-vault.ts`) holds
 * every implementation to this text.
 */
export interface Vault {
  /** For people: `file:///…` or `s3://bucket/prefix`. */
  readonly url: string;

  /**
   * Stores a small body under a key that is free. Resolves to false, and writes nothing, if the key is taken.
   * When it resolves to true the object is durable and whole. Of several concurrent calls for a key exactly one wins.
   */
  putOnce(key: string, body: Uint8Array): Promise<boolean>;

  /**
   * Stores a stream of any length under a key that is free, in bounded memory, and returns size and SHA-256 of what it
   * stored. If the source throws or `signal` aborts, it rejects with that reason and nothing is visible under the key,
   * now or after a crash. If the key is taken it rejects with `KeyTaken` and leaves what was there untouched. A source
   * that was begun is closed in every case; one that was not, since the key was known to be taken, is the caller's.
   */
  writeOnce(key: string, body: AsyncIterable<Uint8Array>, signal?: AbortSignal): Promise<WrittenObject>;

  /** The whole of a small object (at most `limit` bytes, default 4 MiB, else `ObjectTooLarge`); undefined if absent. */
  get(key: string, limit?: number): Promise<Uint8Array | undefined>;

  /**
   * An object's bytes in order; of a range those that exist. Rejects when iteration begins: with `NoSuchKey` if absent,
   * with `RangeError` if the range is none.
   */
  read(key: string, range?: ByteRange): AsyncIterable<Uint8Array>;

  /** Undefined if absent. */
  stat(key: string): Promise<StoredObject | undefined>;

  /** Every visible object whose key starts with `prefix`, in ascending byte order of keys, after `startAfter`. */
  list(prefix: string, startAfter?: string): AsyncIterable<StoredObject>;
}

/** The right to delete, held apart from `Vault` so that only retention can be given it. */
export interface VaultJanitor {
  /** Resolves to false if there was nothing under the key. */
  remove(key: string): Promise<boolean>;
  /** Removes what interrupted writers left behind and no reader can see, older than `before`. Resolves to a count. */
  sweepUnfinished(before: Date): Promise<number>;
}

export interface WrittenObject {
  readonly key: string;
  readonly size: number;
  readonly sha256: Sha256;
}

export class NoSuchKey extends LedgerholdError {
  override readonly name = 'NoSuchKey';
  readonly kind = 'violation';
  constructor(key: string, options?: ErrorOptions) {
    super(`the vault holds no object ${key}`, 'Run `ledgerhold verify --all` to see what else is missing.', options);
  }
}

export class KeyTaken extends LedgerholdError {
  override readonly name = 'KeyTaken';
  readonly kind = 'refused';
  constructor(key: string, options?: ErrorOptions) {
    super(`the vault already holds an object ${key}; it is never overwritten`, 'Run under another slot.', options);
  }
}

export class ObjectTooLarge extends LedgerholdError {
  override readonly name = 'ObjectTooLarge';
  readonly kind = 'violation';
  constructor(key: string, limit: number) {
    super(
      `object ${key} is larger than the ${limit} bytes it may have`,
      'Verify the vault: a document this large was not written by this software.',
    );
  }
}

export class VaultUnavailable extends LedgerholdError {
  override readonly name = 'VaultUnavailable';
  readonly kind = 'external';
}
