import {
  type Cursor,
  type Deliverable,
  type Delivered,
  type Destination,
  MemberRefused,
  MemberUnavailable,
  MOST_IN_A_RECEIPT,
} from '../core/delivery.ts';
import type { Member } from '../core/members.ts';
import { Instant } from '../core/names.ts';
import type { Walker } from './abreast.ts';
import type { DeliveryUnit } from './deliverables.ts';
import { appendReceipt, type DeliveredState, type ReceiptPorts } from './deliveries.ts';
import { readMember } from './members.ts';

/** Others would have had to wait for this member: it goes on alone. */
export class FellBehind extends Error {
  override readonly name = 'FellBehind';
}

/** The member, or the operator, has changed what it is to get while it was under way. */
class Withdrawn extends Error {
  override readonly name = 'Withdrawn';
}

/** So often the registry is looked at again while a member is filled. */
const LOOK_AGAIN_MS = 5_000;

/** One member on its way through the history: what it was given in this pass, and how its pass ends. */
export class DeliveryLane implements Walker {
  waited = 0;
  readonly member: Member;
  readonly destination: Destination;
  readonly signal: AbortSignal;
  /** Objects put there in this pass. */
  count = 0;
  /** Settles once everything up to the unit that is being closed is there; rejects never. */
  closed: Promise<void> = Promise.resolve();
  /** Why nothing more is put there in this pass. */
  error: unknown;
  readonly #ports: ReceiptPorts;
  readonly #stop = new AbortController();
  readonly #held: Set<string>;
  readonly #pending = new Set<Promise<void>>();
  #state: DeliveredState;
  #delivered: Delivered[] = [];
  #cursors: Record<string, Cursor>;
  #moved = false;
  #looked: number;

  constructor(
    ports: ReceiptPorts,
    to: { readonly member: Member; readonly destination: Destination; readonly state: DeliveredState },
    signal: AbortSignal,
  ) {
    this.#ports = ports;
    this.member = to.member;
    this.destination = to.destination;
    this.#state = to.state;
    this.#held = new Set(to.state.held);
    this.#cursors = { ...to.state.cursors };
    this.#looked = ports.clock.now().getTime();
    this.signal = AbortSignal.any([signal, this.#stop.signal]);
  }

  get goesOn(): boolean {
    return this.error === undefined && !this.signal.aborted;
  }

  get cursors(): Readonly<Record<string, Cursor>> {
    return this.#cursors;
  }

  wants(node: string): boolean {
    return this.member.chains?.includes(node) ?? true;
  }

  lacks({ key }: Deliverable): boolean {
    return !this.#held.has(key);
  }

  fallBehind(): void {
    this.stop(new FellBehind(this.member.member));
  }

  /** The first reason is the one that counts; what is on its way ends, and nothing of it is visible. */
  stop(error: unknown): void {
    this.error ??= error;
    this.#stop.abort(error);
  }

  /** Resolves when the object is there, or the lane has stopped; never rejects. */
  put(item: Deliverable, body: () => AsyncIterable<Uint8Array>): Promise<void> {
    if (!this.goesOn || !this.lacks(item)) return Promise.resolve();
    const task = this.#put(item, body)
      .catch((error: unknown) => this.stop(this.signal.aborted ? this.signal.reason : error))
      .finally(() => this.#pending.delete(task));
    this.#pending.add(task);
    return task;
  }

  async #put(item: Deliverable, body: () => AsyncIterable<Uint8Array>): Promise<void> {
    const { key, size, sha256, kind } = item;
    const stored = await this.destination.put(item, body, this.signal);
    const at = Instant.parse(this.#ports.clock.now().toISOString());
    this.#delivered.push({ key, size, sha256, kind, at, ...stored });
    this.#held.add(key);
    this.count += 1;
  }

  /** Puts the seals of a unit once all else of it is there. Does not wait: see `closed`. */
  close({ node, cursor, items }: DeliveryUnit): void {
    this.closed = this.closed.then(async () => {
      while (this.#pending.size > 0) await Promise.race(this.#pending);
      for (const item of items.filter(({ kind }) => kind === 'seal')) await this.put(item, () => bytesOf(item));
      if (!this.goesOn) return;
      this.#cursors[node] = cursor;
      this.#moved = true;
      await this.#lookAgain();
      if (this.#delivered.length >= MOST_IN_A_RECEIPT / 2) await this.#receipt();
    });
  }

  async #lookAgain(): Promise<void> {
    const { vault, clock } = this.#ports;
    if (clock.now().getTime() < this.#looked + LOOK_AGAIN_MS) return;
    this.#looked = clock.now().getTime();
    const now = (await readMember(vault, this.member.member))?.value;
    if (
      now === undefined ||
      !now.environmentBackupTarget ||
      now.since !== this.member.since ||
      now.state === 'suspended'
    )
      this.stop(new Withdrawn(this.member.member));
  }

  /** Waits for what is on its way, and writes down what is there. Rejects only if our own vault fails. */
  async end(): Promise<void> {
    await this.closed;
    await Promise.all(this.#pending);
    await this.#receipt();
  }

  /** A receipt holds only so many: a unit of many files takes several, and the last one moves the cursor. */
  async #receipt(): Promise<void> {
    while (this.#delivered.length > 0 || this.#moved) {
      const delivered = this.#delivered.slice(0, MOST_IN_A_RECEIPT);
      this.#delivered = this.#delivered.slice(delivered.length);
      const cursors = this.#delivered.length === 0 ? { ...this.#cursors } : this.#state.cursors;
      if (this.#delivered.length === 0) this.#moved = false;
      const batch = { url: this.destination.url, delivered, cursors };
      this.#state = await appendReceipt(this.#ports, this.member, this.#state, batch);
    }
  }

  /** What the registry is to know of how it ended; undefined: nothing went wrong at the member. */
  get refusal(): MemberRefused | MemberUnavailable | undefined {
    return this.error instanceof MemberRefused || this.error instanceof MemberUnavailable ? this.error : undefined;
  }

  /** What ended it that is no fault of the member: of our vault, or the caller's own reason. */
  get ours(): unknown {
    return this.refusal !== undefined || this.withdrawn || this.fellBehind ? undefined : this.error;
  }

  get withdrawn(): boolean {
    return this.error instanceof Withdrawn;
  }

  get fellBehind(): boolean {
    return this.error instanceof FellBehind;
  }
}

/** The bytes of a small object that had to be read anyway. */
export async function* bytesOf({ bytes }: Deliverable): AsyncGenerator<Uint8Array> {
  if (bytes !== undefined) yield bytes;
}
