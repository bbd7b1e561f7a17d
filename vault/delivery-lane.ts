import {
  type Cursor,
  type Deliverable,
  type Delivered,
  type DeliveryTotals,
  type Destination,
  furthestOf,
  MemberRefused,
  MemberUnavailable,
  MOST_IN_A_RECEIPT,
  type Reach,
  reachOf,
  takesChain,
  takesFiles,
} from '../core/delivery.ts';
import type { Member } from '../core/members.ts';
import { Instant } from '../core/names.ts';
import type { Walker } from './abreast.ts';
import { type DeliveryUnit, isDamage } from './deliverables.ts';
import { appendReceipt, type DeliveredState, type ReceiptPorts } from './deliveries.ts';
import { bytesOf, watched } from './item-bytes.ts';
import { FellBehind, Withdrawn } from './lane-ends.ts';
import { readMember } from './members.ts';

/** So often the registry is looked at again while a member is filled. */
const LOOK_AGAIN_MS = 5_000;

interface LanePorts extends ReceiptPorts {
  /** Called once a lane has fallen behind: it is stopped, and may have something on its way still. */
  readonly goOnAlone: (lane: DeliveryLane) => void;
}

/** One member on its way through the history: what it was given in this pass, and how its pass ends. */
export class DeliveryLane implements Walker {
  waited = 0;
  waitedUntil = 0;
  readonly member: Member;
  readonly destination: Destination;
  readonly signal: AbortSignal;
  /** Objects put there in this delivery. */
  count: number;
  /** Settles once everything up to the unit that is being closed is there; rejects never. */
  closed: Promise<void> = Promise.resolve();
  /** Why nothing more is put there in this pass. */
  error: unknown;
  readonly #ports: LanePorts;
  readonly #stop = new AbortController();
  readonly #held: Set<string>;
  readonly #pending = new Set<Promise<void>>();
  #state: DeliveredState;
  #delivered: Delivered[] = [];
  #cursors: Record<string, Cursor>;
  #moved = false;
  #ended: Promise<void> | undefined;
  #looked: number;
  /** As the registry had it last. A chain that it has come to want since waits for the next pass. */
  #newest: Member | undefined;
  /** By key: of several objects on their way at once each send is told its own. */
  readonly #damage = new Map<string, unknown>();
  #failure: { readonly error: unknown } | undefined;

  /** `asOf`: when the member was read from the registry. */
  constructor(
    ports: LanePorts,
    to: {
      readonly member: Member;
      readonly destination: Destination;
      readonly state: DeliveredState;
      readonly asOf: Date;
      /** Objects put there in this delivery before. */
      readonly count?: number;
    },
    signal: AbortSignal,
  ) {
    this.#ports = ports;
    this.member = to.member;
    this.destination = to.destination;
    this.#state = to.state;
    this.#held = new Set(to.state.held.keys());
    this.#cursors = { ...to.state.cursors };
    this.#looked = to.asOf.getTime();
    this.count = to.count ?? 0;
    this.signal = AbortSignal.any([signal, this.#stop.signal]);
  }

  get goesOn(): boolean {
    return this.error === undefined && !this.signal.aborted;
  }

  get cursors(): Readonly<Record<string, Cursor>> {
    return this.#cursors;
  }

  wants(node: string): boolean {
    return [this.member, this.#newest ?? this.member].every((member) => takesChain(member, node));
  }

  /** Up to where all is there that it takes of a chain. */
  reach(node: string): Reach | undefined {
    return reachOf(this.#cursors[node], this.member);
  }

  lacks({ key, kind }: Deliverable): boolean {
    return !this.#held.has(key) && (kind !== 'file' || takesFiles(this.member));
  }

  /** Of a manifest that is there already, only chain files can be missing. */
  begin({ node, cursor, items }: DeliveryUnit): void {
    if (cursor.seq > (this.#cursors[node]?.seq ?? 0)) return;
    for (const { key, kind } of items) if (kind !== 'file') this.#held.add(key);
  }

  fallBehind(): void {
    if (!this.goesOn) return;
    this.stop(new FellBehind(this.member.member));
    this.#ports.goOnAlone(this);
  }

  /** The first reason is the one that counts; what is on its way ends, and nothing of it is visible. */
  stop(error: unknown): void {
    this.error ??= error;
    this.#stop.abort(error);
  }

  /** Resolves when the object is there, or the lane has stopped, or `body` has failed; never rejects. */
  put(item: Deliverable, body: () => AsyncIterable<Uint8Array>): Promise<void> {
    if (!this.goesOn || !this.lacks(item)) return Promise.resolve();
    const task = this.#put(item, body).finally(() => this.#pending.delete(task));
    this.#pending.add(task);
    return task;
  }

  async #put(item: Deliverable, body: () => AsyncIterable<Uint8Array>): Promise<void> {
    const { key, size, sha256, kind, manifest } = item;
    let spoiled = false;
    const source = () =>
      watched(body(), () => {
        spoiled = true;
      });
    await this.#lookAgain();
    const [folder, node = ''] = key.split('/');
    if (!this.goesOn || (folder === 'chain' && !this.wants(node))) return;
    try {
      const stored = await this.destination.put(item, source, this.signal);
      const at = Instant.parse(this.#ports.clock.now().toISOString());
      this.#delivered.push({ key, size, sha256, kind, manifest, at, ...stored });
      this.#held.add(key);
      this.count += 1;
    } catch (error) {
      // What is wrong with the bytes is no fault of the member: who reads them tells it, or else who sent the object.
      // Why the lane was stopped is neither, whatever it was stopped for.
      if (isDamage(error) && error !== this.error) this.#damage.set(key, error);
      else if (!spoiled) this.stop(this.signal.aborted ? this.signal.reason : error);
    }
  }

  /** What was found wrong with the vault's bytes of an object while it was put, since this was asked last. */
  takeDamage({ key }: Deliverable): unknown[] {
    const found = this.#damage.has(key) ? [this.#damage.get(key)] : [];
    this.#damage.delete(key);
    return found;
  }

  /** Puts the seals of a unit once all else of it is there. Does not wait: see `closed`. */
  close({ node, cursor, items }: DeliveryUnit): void {
    this.closed = this.closed.then(async () => {
      const lacking = (kind: boolean) => items.some((item) => (item.kind === 'seal') === kind && this.lacks(item));
      if ((this.reach(node)?.seq ?? 0) !== cursor.seq - 1 || lacking(false)) return;
      for (const item of items.filter(({ kind }) => kind === 'seal')) await this.put(item, () => bytesOf(item));
      if (!this.goesOn || lacking(true)) return;
      const moved = takesFiles(this.member) ? cursor : { ...cursor, files: null };
      this.#cursors[node] = furthestOf(this.#cursors[node], moved);
      this.#moved = true;
      if (this.#delivered.length >= MOST_IN_A_RECEIPT / 2) await this.#receipt();
    });
  }

  async #lookAgain(): Promise<void> {
    const { vault, clock } = this.#ports;
    if (clock.now().getTime() < this.#looked + LOOK_AGAIN_MS) return;
    this.#looked = clock.now().getTime();
    try {
      const now = (await readMember(vault, this.member.member))?.value;
      const still = now?.environmentBackupTarget === true && now.state !== 'suspended';
      if (!still || now.since !== this.member.since) this.stop(new Withdrawn(this.member.member));
      else {
        this.#newest = now;
        // It goes on with what it takes now.
        if (takesFiles(now) !== takesFiles(this.member)) this.fallBehind();
      }
    } catch (error) {
      this.stop(error);
    }
  }

  /** Waits for what is on its way, and writes down what is there. Never rejects. */
  end(): Promise<void> {
    this.#ended ??= this.#end();
    return this.#ended;
  }

  async #end(): Promise<void> {
    await this.closed;
    await Promise.all(this.#pending);
    await this.#receipt();
  }

  /** A receipt holds only so many: a unit of many files takes several, and the last one moves the cursor. */
  async #receipt(): Promise<void> {
    try {
      while (this.#failure === undefined && (this.#delivered.length > 0 || this.#moved)) {
        const delivered = this.#delivered.slice(0, MOST_IN_A_RECEIPT);
        this.#delivered = this.#delivered.slice(delivered.length);
        const cursors = this.#delivered.length === 0 ? { ...this.#cursors } : this.#state.cursors;
        if (this.#delivered.length === 0) this.#moved = false;
        const batch = { url: this.destination.url, delivered, cursors };
        this.#state = await appendReceipt(this.#ports, this.member, this.#state, batch);
      }
    } catch (error) {
      this.#failure = { error };
      this.stop(error);
    }
  }

  get totals(): DeliveryTotals {
    return this.#state.totals;
  }

  /** What the registry is to know of how it ended; undefined: nothing went wrong at the member. */
  get refusal(): MemberRefused | MemberUnavailable | undefined {
    return this.error instanceof MemberRefused || this.error instanceof MemberUnavailable ? this.error : undefined;
  }

  /** What ended it that is no fault of the member: of our vault, or the caller's own reason. */
  get ours(): unknown {
    if (this.#failure !== undefined) return this.#failure.error;
    return this.refusal !== undefined || this.withdrawn || this.fellBehind ? undefined : this.error;
  }

  get withdrawn(): boolean {
    return this.error instanceof Withdrawn;
  }

  get fellBehind(): boolean {
    return this.error instanceof FellBehind;
  }
}
