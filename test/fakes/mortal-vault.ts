import type { ByteRange, StoredObject, Vault } from '../../core/vault.ts';
import { VaultUnavailable } from '../../core/vault.ts';
import type { MemoryVault } from './memory-vault.ts';

/** What ends or fails at the n-th call that a process makes to the vault. */
export interface Doom {
  readonly at: number;
  /** `dies`: nothing of the process happens any more; `fails`: this one call. */
  readonly what: 'dies' | 'fails';
  /** The call has done what it was for, and only its answer is missing. */
  readonly after: boolean;
}

/** A vault as one process sees it, which may die between any two calls. */
export class MortalVault implements Vault {
  readonly url = 'memory:';
  readonly #vault: MemoryVault;
  readonly #doom: Doom | undefined;
  #calls = 0;
  dead = false;
  failed = false;

  constructor(vault: MemoryVault, doom?: Doom) {
    this.#vault = vault;
    this.#doom = doom;
  }

  /** Throws once the process is dead. */
  live(): void {
    if (this.dead) throw new VaultUnavailable('the process is gone', 'Start another.');
  }

  async #call<T>(work: () => Promise<T>): Promise<T> {
    this.live();
    this.#calls += 1;
    if (this.#calls !== this.#doom?.at) return work();
    if (this.#doom.after) await work();
    this.failed = true;
    this.dead = this.#doom.what === 'dies';
    this.live();
    throw new VaultUnavailable('the line to the vault broke', 'Try again.');
  }

  putOnce(key: string, body: Uint8Array): Promise<boolean> {
    return this.#call(() => this.#vault.putOnce(key, body));
  }

  writeOnce(...asked: Parameters<Vault['writeOnce']>) {
    return this.#call(() => this.#vault.writeOnce(...asked));
  }

  get(key: string, limit?: number): Promise<Uint8Array | undefined> {
    return this.#call(() => this.#vault.get(key, limit));
  }

  stat(key: string): Promise<StoredObject | undefined> {
    return this.#call(() => this.#vault.stat(key));
  }

  async *read(key: string, range?: ByteRange): AsyncIterable<Uint8Array> {
    await this.#call(async () => {});
    yield* this.#vault.read(key, range);
  }

  async *list(prefix: string, startAfter?: string): AsyncIterable<StoredObject> {
    await this.#call(async () => {});
    yield* this.#vault.list(prefix, startAfter);
  }
}
