import { createHash } from 'node:crypto';
import type { Sha256 } from '../../core/names.ts';
import {
  type ByteRange,
  KeyTaken,
  NoSuchKey,
  type StoredObject,
  type Vault,
  type VaultJanitor,
} from '../../core/vault.ts';
import { blocks } from '../../vault/blocks.ts';
import { cut, getSmall } from '../../vault/get-small.ts';
import { checkKey, checkPrefix } from '../../vault/keys.ts';

/** A vault in memory that keeps the port's contract, and lets a test damage what lies in it. */
export class MemoryVault implements Vault, VaultJanitor {
  readonly url = 'memory:';
  readonly objects = new Map<string, Uint8Array>();
  /** Of every object: tests put them into the map by hand, too. */
  readonly modifiedAt = new Date();

  async putOnce(key: string, body: Uint8Array): Promise<boolean> {
    checkKey(key);
    if (this.objects.has(key)) return false;
    this.objects.set(key, Uint8Array.from(body));
    return true;
  }

  async writeOnce(key: string, body: AsyncIterable<Uint8Array>, signal: AbortSignal = AbortSignal.any([])) {
    const parts: Uint8Array[] = [];
    for await (const part of blocks(body, () => Buffer.alloc(64 * 1024), signal)) parts.push(part);
    signal.throwIfAborted();
    const whole = Buffer.concat(parts);
    if (!(await this.putOnce(key, whole))) throw new KeyTaken(key);
    return { key, size: whole.length, sha256: createHash('sha256').update(whole).digest('hex') as Sha256 };
  }

  get(key: string, limit?: number): Promise<Uint8Array | undefined> {
    return getSmall((at) => this.read(at), key, limit);
  }

  async *read(key: string, range?: ByteRange): AsyncIterable<Uint8Array> {
    checkKey(key);
    const body = this.objects.get(key);
    if (body === undefined) throw new NoSuchKey(key);
    const { from, to } = cut(body.length, range);
    if (from < to) yield body.subarray(from, to);
  }

  async stat(key: string): Promise<StoredObject | undefined> {
    checkKey(key);
    const body = this.objects.get(key);
    return body === undefined ? undefined : this.stored(key, body);
  }

  async *list(prefix: string, startAfter = ''): AsyncIterable<StoredObject> {
    checkPrefix(prefix);
    const keys = [...this.objects.keys()].filter((key) => key.startsWith(prefix) && key > startAfter);
    for (const key of keys.sort()) {
      const body = this.objects.get(key);
      if (body !== undefined) yield this.stored(key, body);
    }
  }

  async remove(key: string): Promise<boolean> {
    checkKey(key);
    return this.objects.delete(key);
  }

  async sweepUnfinished(): Promise<number> {
    return 0;
  }

  private stored(key: string, body: Uint8Array): StoredObject {
    return { key, size: body.length, modifiedAt: this.modifiedAt };
  }
}
