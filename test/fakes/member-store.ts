import { createHash } from 'node:crypto';
import {
  type Deliverable,
  type Destination,
  MemberRefused,
  MemberUnavailable,
  type Stored,
  tampered,
} from '../../core/delivery.ts';
import type { MemberFault } from '../../core/members.ts';

/** What a member's store does, once told to. */
export type StoreFault = 'away' | 'refuses' | 'loses answers' | 'hangs' | 'stuck' | 'slow';

/**
 * A member's store in memory that keeps the contract of `Destination`. `away`: nothing is reached; `refuses`: its policy
 * no longer lets us in; `loses answers`: the object is there, and the caller is told that the line broke; `hangs`: no
 * answer until the caller gives up; `stuck`: none until `release`, whatever the caller does; `slow`: each object takes a while.
 */
export class MemberStore implements Destination {
  readonly objects = new Map<string, Uint8Array>();
  readonly url: string;
  readonly copies = false;
  fault: StoreFault | undefined;
  faults: MemberFault[] = [];
  /** Whether we may read; like a bucket that we may not list, it says of what is absent the same as of what is closed. */
  grantsReads = false;
  /** Keys that were read, in order. */
  readonly keysRead: string[] = [];
  /** Calls that are stuck. */
  readonly held: PromiseWithResolvers<void>[] = [];
  /** Called before each object, for tests that act in the middle. */
  onPut: (item: Deliverable) => void = () => {};

  constructor(member: string) {
    this.url = `memory:${member}`;
  }

  async put(item: Deliverable, body: () => AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<Stored> {
    const { key } = item;
    this.onPut(item);
    if (this.fault === 'away') throw new MemberUnavailable(`${this.url} is away`, 'Wait.');
    if (this.fault === 'refuses') throw new MemberRefused({ name: 'ACCESS_DENIED', message: 'no', remedy: 'Mend it.' });
    if (this.fault === 'hangs') await new Promise((_, reject) => signal.addEventListener('abort', reject));
    await this.#unlessStuck();
    if (this.fault === 'slow') await new Promise((done) => setTimeout(done, 20));
    const there = this.objects.get(key);
    if (there !== undefined) {
      if (createHash('sha256').update(there).digest('hex') === item.sha256) return { outcome: 'same' };
      throw new MemberRefused(tampered(this.url, key));
    }
    const chunks: Uint8Array[] = [];
    for await (const chunk of body()) chunks.push(chunk);
    signal.throwIfAborted();
    // Somebody else may have put it since it was looked for.
    if (this.objects.has(key)) return { outcome: 'same' };
    this.objects.set(key, Buffer.concat(chunks));
    if (this.fault === 'loses answers') throw new MemberUnavailable('the line broke', 'Wait.');
    return { outcome: 'written' };
  }

  async read(key: string): Promise<AsyncIterable<Uint8Array> | undefined> {
    if (this.fault === 'away') throw new MemberUnavailable(`${this.url} is away`, 'Wait.');
    await this.#unlessStuck();
    const bytes = this.grantsReads ? this.objects.get(key) : undefined;
    if (bytes === undefined) return undefined;
    this.keysRead.push(key);
    return (async function* () {
      yield bytes;
    })();
  }

  async mayRead(): Promise<boolean> {
    await this.#unlessStuck();
    return this.grantsReads;
  }

  async check(): Promise<readonly MemberFault[]> {
    await this.#unlessStuck();
    return this.faults;
  }

  async #unlessStuck(): Promise<void> {
    if (this.fault !== 'stuck') return;
    const call = Promise.withResolvers<void>();
    this.held.push(call);
    await call.promise;
  }

  /** What is stuck goes on, and answers; or ends with an error. */
  release(error?: Error): void {
    this.fault = undefined;
    for (const { resolve, reject } of this.held.splice(0)) {
      if (error === undefined) resolve();
      else reject(error);
    }
  }
}
