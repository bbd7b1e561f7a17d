import { type ChainManifest, HistoryDamaged } from '../../core/chain.ts';
import {
  type Deliverable,
  type Destination,
  MemberRefused,
  MemberUnavailable,
  type Stored,
} from '../../core/delivery.ts';
import type { Member, MemberFault } from '../../core/members.ts';
import { isDue } from '../../core/members.ts';
import { Instant, NetworkName, type Sha256 } from '../../core/names.ts';
import type { Signer } from '../../core/ports.ts';
import { sha256 } from '../../io/digest.ts';
import { type DeliverBounds, type DeliveryEnd, deliver } from '../../vault/deliver.ts';
import { signatureKey } from '../../vault/layout.ts';
import { actOn, readMember, readMembers } from '../../vault/members.ts';
import { MemoryVault } from '../fakes/memory-vault.ts';
import { type Doom, MortalVault } from '../fakes/mortal-vault.ts';
import type { Numbers } from './numbers.ts';
import { newToySigner, ToyHistory, unprovenSigner } from './toy-deliveries.ts';
import { VirtualTime } from './virtual-time.ts';

/** What may go out: everything else of a vault is private. */
const SHARED =
  /^(format\.json|keys\/[0-9a-f]{64}\.(pem|endorsed-by-[0-9a-f]{64}\.sig)|chain\/[^/]+\/([^/]+\.rlp|records\/[^/]+\.json|runs\/[^/]+\/\d+\/agreement\.json|manifests\/\d{8}(\.json|-[0-9a-f]{64}\.sig)))$/;

/** So long may a delivery that is under way not know what the registry says by now, by what its own docs promise. */
const UNAWARE_MS = 5_000;

export const refusal: MemberFault = { name: 'ACCESS_DENIED', message: 'the policy says no', remedy: 'Mend it.' };
const hijacked: MemberFault = { name: 'ANOTHER_OWNER', message: 'it is somebody else’s', remedy: 'Register another.' };

export type Mode = 'well' | 'away' | 'loses answers' | 'hangs' | 'refuses' | 'slow';

/** One place where files can go, with whatever a member's machine does wrong. */
export class Place {
  readonly objects = new Map<string, Uint8Array>();
  readonly path: string;
  readonly copies: boolean;
  mode: Mode = 'well';
  stolen = false;
  /** When it was replaced by another; nothing new goes there. */
  forbiddenAt = Number.POSITIVE_INFINITY;
  constructor(path: string, copies: boolean) {
    this.path = path;
    this.copies = copies;
  }
}

/** What delivers: it sees the vault until it dies, and knows when a member has refused it. */
export interface Process {
  readonly vault: MortalVault;
  readonly due: ReadonlySet<string>;
  readonly refused: Map<string, number>;
}

export interface Asked {
  readonly doom?: Doom | undefined;
  readonly bounds?: DeliverBounds;
  /** Milliseconds until it is told to end. */
  readonly patience?: number;
}

export interface Ended {
  readonly ends?: Record<string, DeliveryEnd>;
  readonly error?: unknown;
  /** The vault, or the process, failed under way. */
  readonly failed: boolean;
  /** Versions of the members that refused it. */
  readonly refused: readonly Member[];
}

export const newSigner: Signer = newToySigner();

/** A vault, members' stores and deliveries that fail as the numbers say; `broken` holds every law that was not kept. */
export class DeliveryModel {
  readonly vault = new MemoryVault();
  readonly time = new VirtualTime();
  readonly places = new Map<string, Place>();
  readonly histories: readonly ToyHistory[];
  readonly broken: string[] = [];
  /** Bytes as they were sealed, while the vault's own are damaged. */
  readonly sealed = new Map<string, Uint8Array>();
  readonly registry = {
    ...{ vault: this.vault, clock: this.time.clock, network: NetworkName.parse('acme'), by: 'a model' },
  };
  /** What happens once so many objects were put. */
  readonly middle = new Map<number, () => Promise<unknown>>();
  /** Members that are to get nothing, since when. */
  readonly off = new Map<string, number>();
  /** Members that take no chain files, since when; and those that ever took none. */
  readonly without = new Map<string, number>();
  readonly everWithout = new Set<string>();
  readonly #acts: Promise<unknown>[] = [];
  readonly #random: Numbers;
  readonly #read = new Map<string, { readonly value: unknown; readonly sha256: Sha256 }>();
  readonly #needs = new Map<string, readonly string[]>();
  puts = 0;
  /** Of a delivery that is given none. Milliseconds. */
  patience = 60_000;

  constructor(random: Numbers, from: ReadonlyMap<string, Uint8Array> = new Map()) {
    this.#random = random;
    for (const [key, bytes] of from) this.vault.objects.set(key, bytes);
    this.histories = ['consortium', 'second'].map((node) => new ToyHistory(this.vault, unprovenSigner, node));
  }

  placeAt(path: string): Place {
    const place = this.places.get(path) ?? new Place(path, this.#random.chance(0.2));
    this.places.set(path, place);
    return place;
  }

  placeOf(id: string): Place {
    return this.placeAt(pathOf(this.member(id)));
  }

  /** As it was written last. */
  member(id: string): Member {
    const prefix = `members/${id}/`;
    const [newest = ''] = [...this.vault.objects.keys()]
      .filter((key) => key.startsWith(prefix))
      .toSorted()
      .toReversed();
    return this.json<Member>(newest).value;
  }

  /** What was written once is read once: a run looks at it after every step. */
  json<T>(key: string): { readonly value: T; readonly sha256: Sha256 } {
    const bytes = this.vault.objects.get(key) ?? new Uint8Array();
    const known = this.#read.get(key) ?? { value: JSON.parse(Buffer.from(bytes).toString()), sha256: sha256(bytes) };
    this.#read.set(key, known);
    return known as { value: T; sha256: Sha256 };
  }

  /** Registers `path` for a member, and makes it a target. */
  async join(id: string, path: string): Promise<void> {
    const before = await readMember(this.vault, id);
    const at = this.time.clock.now().toISOString() as Member['at'];
    const old = before === undefined ? undefined : pathOf(before.value);
    await actOn(this.registry, id, { what: 'register', destination: { kind: 'folder', path } });
    if (old !== undefined && old !== path) this.placeAt(old).forbiddenAt = this.time.now();
    await actOn(this.registry, id, { what: 'check', report: { at, faults: [] } });
    await actOn(this.registry, id, { what: 'set', environmentBackupTarget: true });
  }

  /** What the member, or a person, wants from now on. */
  async set(id: string, how: 'on' | 'off' | 'suspended' | 'resumed' | 'files' | 'no files'): Promise<void> {
    if (how === 'files' || how === 'no files') return this.#take(id, how === 'files');
    if (how === 'suspended') await actOn(this.registry, id, { what: 'suspend', fault: refusal });
    else if (how === 'resumed') {
      const at = Instant.parse(this.time.clock.now().toISOString());
      await actOn(this.registry, id, { what: 'check', report: { at, faults: [] } });
      await actOn(this.registry, id, { what: 'resume' });
    } else await actOn(this.registry, id, { what: 'set', environmentBackupTarget: how === 'on' });
    if (how === 'off' || how === 'suspended') this.off.set(id, this.time.now());
    else this.off.delete(id);
  }

  async #take(id: string, chainFiles: boolean): Promise<void> {
    await actOn(this.registry, id, { what: 'set', chainFiles });
    if (chainFiles) this.without.delete(id);
    else if (!this.without.has(id)) this.without.set(id, this.time.now());
    if (!chainFiles) this.everWithout.add(id);
  }

  /** Everything that a member is to have, as the vault is now. */
  shared({ chains = null, chainFiles }: Pick<Partial<Member>, 'chains' | 'chainFiles'> = {}): string[] {
    const wanted = (key: string) => isWanted(key, chains) && (chainFiles !== false || !key.endsWith('.rlp'));
    return [...this.vault.objects.keys()].filter((key) => SHARED.test(key) && wanted(key)).sort();
  }

  held = (place: Place): string[] => [...place.objects.keys()].sort();

  /** One delivery, by a process of its own, from its start to its end. */
  async deliver(asked: Asked = {}): Promise<Ended> {
    const members = (await readMembers(this.vault)).members.map(({ value }) => value);
    const due = members.filter((member) => isDue(member, this.time.clock.now())).map(({ member }) => member);
    const vault = new MortalVault(this.vault, asked.doom);
    const refused = () => members.filter(({ member }) => process.refused.has(member));
    const process: Process = { vault, due: new Set(due), refused: new Map() };
    const stop = new AbortController();
    const { signal } = stop;
    const ended = new AbortController();
    this.time.after(asked.patience ?? this.patience, ended.signal).then(
      () => stop.abort(new Error('told to end')),
      () => {},
    );
    const destinationOf = (member: Member) => this.#destination(process, member);
    const ports = { ...this.registry, vault, signer: unprovenSigner, destinationOf, signal, timer: this.time };
    try {
      const ends = await deliver(ports, members, asked.bounds);
      return {
        ends: Object.fromEntries(ends.map((end) => [end.member, end])),
        failed: vault.failed,
        refused: refused(),
      };
    } catch (error) {
      return { error, failed: vault.failed, refused: refused() };
    } finally {
      ended.abort();
      await Promise.allSettled(this.#acts);
    }
  }

  #destination(process: Process, member: Member): Destination {
    const place = this.placeAt(pathOf(member));
    return {
      ...{ url: place.path, copies: place.copies, check: async () => (place.stolen ? [hijacked] : []) },
      put: (item, body, signal) => this.#put(process, member, place, { item, body, signal }),
    };
  }

  async #put(
    process: Process,
    { member }: Member,
    place: Place,
    put: { item: Deliverable; body: () => AsyncIterable<Uint8Array>; signal: AbortSignal },
  ): Promise<Stored> {
    const { item, body, signal } = put;
    process.vault.live();
    this.#lawsOfBegin(process, member, place, item);
    this.puts += 1;
    const act = this.middle.get(this.puts);
    if (act !== undefined) this.#acts.push(act());
    const refuse = (fault: MemberFault): never => {
      process.refused.set(member, Math.min(process.refused.get(member) ?? Infinity, this.time.now()));
      throw new MemberRefused(fault);
    };
    const whim = place.mode === 'well' || place.mode === 'slow' ? 1 : this.#random.next();
    if (place.mode === 'slow') await this.time.after(400, signal);
    else if (this.#random.chance(0.1)) await this.time.after(this.#random.below(30), signal);
    if (place.stolen) refuse(hijacked);
    if (place.mode === 'refuses' && whim < 0.7) refuse(refusal);
    if (place.mode === 'away' && whim < 0.7) throw new MemberUnavailable('it is away', 'Wait.');
    if (place.mode === 'hangs' && whim < 0.5) await this.time.after(1e9, signal);
    const taken = () => place.objects.has(item.key);
    if (taken()) return { outcome: place.copies ? 'there' : 'same' };
    const own = item.bytes ?? this.vault.objects.get(item.key);
    if (place.copies && (own === undefined || sha256(own) !== item.sha256))
      throw new HistoryDamaged('damaged', 'Mend it.');
    const bytes = place.copies ? own : await whole(body());
    // Twice is what a flaky line asks for: the second reading is no less proved than the first.
    const again = this.#random.chance(0.05) && !place.copies ? await whole(body()) : bytes;
    signal.throwIfAborted();
    process.vault.live();
    if (place.stolen) refuse(hijacked);
    if (taken()) return { outcome: place.copies ? 'there' : 'same' };
    this.#accept(place, item.key, again ?? new Uint8Array(), this.everWithout.has(member));
    if (place.mode === 'loses answers' && whim < 0.4) throw new MemberUnavailable('the answer was lost', 'Wait.');
    return { outcome: 'written' };
  }

  #lawsOfBegin(process: Process, member: string, place: Place, { key, kind }: Deliverable): void {
    const late = this.time.now();
    if (!process.due.has(member)) this.broken.push(`${member} got ${key}, and was not due`);
    if (late > place.forbiddenAt + UNAWARE_MS) this.broken.push(`${key} went to ${place.path}, which nobody wants`);
    if (late > (this.off.get(member) ?? Infinity) + UNAWARE_MS)
      this.broken.push(`${member} got ${key} while it is off`);
    if (kind === 'file' && late > (this.without.get(member) ?? Infinity) + UNAWARE_MS)
      this.broken.push(`${member} got ${key}, and takes no files`);
    if (late > (process.refused.get(member) ?? Infinity)) this.broken.push(`${member} refused, and was asked again`);
  }

  /** Stores an object, and holds against the laws what a member sees from then on. */
  #accept({ objects, path }: Place, key: string, bytes: Uint8Array, perhapsWithout: boolean): void {
    const say = (what: string) => this.broken.push(`${path}: ${what}`);
    const own = this.sealed.get(key) ?? this.vault.objects.get(key);
    if (!SHARED.test(key)) say(`${key} is private`);
    if (objects.has(key)) say(`${key} was written twice`);
    if (own === undefined || Buffer.compare(own, bytes) !== 0) say(`${key} has other bytes than the vault`);
    objects.set(key, bytes);
    if (!/\/manifests\/\d{8}\.json$/.test(key)) return;
    for (const need of this.#needsOf(key, bytes)) {
      if (perhapsWithout && need.endsWith('.rlp')) continue;
      if (!objects.has(need)) say(`${key} is there, and ${need} is not`);
    }
  }

  #needsOf(key: string, bytes: Uint8Array): readonly string[] {
    const known = this.#needs.get(key);
    if (known !== undefined) return known;
    const manifest = JSON.parse(Buffer.from(bytes).toString()) as ChainManifest;
    const { seq, signer, agreement, records, orphaned } = manifest;
    const files = [...records, ...orphaned].flatMap(({ key: record }) => [
      record,
      record.replace('/records/', '/').replace(/\.json$/, ''),
    ]);
    const before = seq === 1 ? [] : [key.replace(/\d{8}\.json$/, `${String(seq - 1).padStart(8, '0')}.json`)];
    const trust = ['format.json', `keys/${signer}.pem`];
    const needs = [...files, ...before, ...trust, agreement.key, signatureKey(key, sha256(bytes))];
    this.#needs.set(key, needs);
    return needs;
  }
}

const pathOf = ({ destination }: Member): string => (destination?.kind === 'folder' ? destination.path : '/nowhere');

const isWanted = (key: string, chains: readonly string[] | null): boolean =>
  chains === null || !key.startsWith('chain/') || chains.includes(key.split('/')[1] ?? '');

async function whole(body: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  return Buffer.concat(await Array.fromAsync(body));
}
