import pLimit from 'p-limit';
import { canonicalBytes } from '../core/canonical.ts';
import type { MemberDestination } from '../core/destination.ts';
import type { LedgerholdError } from '../core/errors.ts';
import { afterAct, Member, type MemberAct, MemberId, TooManyActs } from '../core/members.ts';
import { Instant, type NetworkName, type Sha256 } from '../core/names.ts';
import type { Clock } from '../core/ports.ts';
import type { Vault } from '../core/vault.ts';
import { sha256 } from '../io/digest.ts';
import { type Document, NotADocument, putDocument, readDocument, UnknownFormat } from './documents.ts';
import { memberKey, membersPrefix, numberOf } from './layout.ts';

/** A member of which nothing is known until its newest version can be read again. */
export interface UnreadableMember {
  readonly id: string;
  readonly fault: LedgerholdError;
}

export interface Registry {
  /** Newest versions, in the order of their names. */
  readonly members: readonly Document<Member>[];
  readonly unreadable: readonly UnreadableMember[];
}

/** Members, of two small objects each: one after the other, 10,000 of them take minutes. */
const READS_AT_ONCE = 32;

/** The newest version of every member: one that is damaged is no other's fault. */
export async function readMembers(vault: Vault): Promise<Registry> {
  const newest = new Map<string, string>();
  for await (const { key } of vault.list(membersPrefix())) {
    const [, id] = key.split('/');
    if (id !== undefined && numberOf(key) !== undefined) newest.set(id, key);
  }
  const limit = pLimit(READS_AT_ONCE);
  const unreadable: UnreadableMember[] = [];
  const readOrTell = (id: string, key: string) =>
    readVersion(vault, id, key).catch((error: unknown) => {
      if (!(error instanceof NotADocument || error instanceof UnknownFormat)) throw error;
      unreadable.push({ id, fault: error });
      return undefined;
    });
  const read = await Promise.all([...newest].map(([id, key]) => limit(() => readOrTell(id, key))));
  const members = read.filter((member) => member !== undefined);
  return { members, unreadable: unreadable.toSorted((a, b) => (a.id < b.id ? -1 : 1)) };
}

/** A member's newest version; undefined if it was never invited. Rejects with `NotADocument`. */
export async function readMember(vault: Vault, id: string): Promise<Document<Member> | undefined> {
  let newest: string | undefined;
  for await (const { key } of vault.list(membersPrefix(id))) if (numberOf(key) !== undefined) newest = key;
  return newest === undefined ? undefined : readVersion(vault, id, newest);
}

/** All versions of a member, oldest first: who did what, and when. */
export async function memberVersions(vault: Vault, id: string): Promise<Document<Member>[]> {
  const versions: Document<Member>[] = [];
  for await (const { key } of vault.list(membersPrefix(id))) {
    if (numberOf(key) !== undefined) versions.push(await readVersion(vault, id, key));
  }
  return versions;
}

/** Held against its key and against the version before it: one that was moved, or an older one edited, shows. */
async function readVersion(vault: Vault, id: string, key: string): Promise<Document<Member>> {
  const found = await readDocument(vault, key, Member);
  const remedy = 'Nothing goes to this member until the object is as it was written: compare it with another copy.';
  if (found === undefined) throw new NotADocument(`${key} is missing`, remedy);
  const { member, n, previous } = found.value;
  if (memberKey(id, n) !== key || member !== id) {
    throw new NotADocument(`${key} holds version ${n} of ${member}: moved or replayed`, remedy);
  }
  if (selfOf(found.value) !== found.value.self) throw new NotADocument(`${key} was edited`, remedy);
  const before = n === 1 ? undefined : await vault.get(memberKey(id, n - 1));
  if ((before === undefined ? null : sha256(before)) === previous) return found;
  throw new NotADocument(`${key} does not follow the version before it`, remedy);
}

export interface RegistryPorts {
  readonly vault: Vault;
  readonly clock: Clock;
  readonly network: NetworkName;
  /** Who acts. */
  readonly by: string;
  /** Throws where this one may not act on a member as it is then: asked of the very version that the act is made of. */
  readonly permit?: (before: Member | undefined) => void;
}

/**
 * Writes the version that an act makes of a member; of several at once each is made of what the one before left.
 * Resolves to what holds then, also if nothing had to be written. Rejects with `MemberActRefused`.
 */
export async function actOn(ports: RegistryPorts, id: string, act: MemberAct): Promise<Document<Member>> {
  const { vault, clock, network, by, permit } = ports;
  for (;;) {
    const before = await readMember(vault, id);
    permit?.(before?.value);
    const n = (before?.value.n ?? 0) + 1;
    const now = clock.now();
    const version: Omit<Member, 'self'> = {
      ...{ format: 'ledgerhold/member/1', network, member: MemberId.parse(id), n, previous: before?.sha256 ?? null },
      ...{ at: Instant.parse(now.toISOString()), by, what: act.what },
      ...afterAct(before?.value, act, n, now),
    };
    if (before !== undefined && act.what !== 'register' && isSame(before.value, version)) return before;
    const { won } = await putDocument(vault, memberKey(id, n), { ...version, self: selfOf(version) });
    const written = won ? await readMember(vault, id) : undefined;
    if (written !== undefined) return written;
  }
}

const DAY_MS = 86_400_000;
/** A member that registers and leaves in a loop costs everybody a check and itself a fill: so often a day it may. */
const REGISTRATIONS_A_DAY = 10;
/** Of any kind: far above what a person changes, and far below what would make them long to list. */
const VERSIONS_A_DAY = 200;

/**
 * Registers a destination. Said again of a member in order, as by a client that has lost the answer, it is no new
 * registration: that would end its being a target, and have all sent again. `again`: just that is meant. Rejects with
 * `MemberActRefused`, and with `TooManyActs` when it was done too often.
 */
export async function register(
  ports: RegistryPorts,
  id: string,
  destination: MemberDestination,
  again = false,
): Promise<Member> {
  const dayAgo = ports.clock.now().getTime() - DAY_MS;
  const newest = MemberId.safeParse(id).success ? await readMember(ports.vault, id) : undefined;
  const inOrder = newest !== undefined && isInOrder(newest.value) && goesTo(newest.value, destination);
  if (inOrder && !again) return newest.value;
  let registered = 0;
  for await (const { at, what } of fromNewest(ports.vault, id, newest)) {
    if (Date.parse(at) <= dayAgo) break;
    if (what === 'register') registered += 1;
  }
  if (registered >= REGISTRATIONS_A_DAY) throw tooMany(`${id} was registered ${registered} times within a day`);
  return (await actOn(ports, id, { what: 'register', destination })).value;
}

/** Whether somebody else than `ports.by` has acted on a member since version `n`. */
export async function isActedOn({ vault, by }: Pick<RegistryPorts, 'vault' | 'by'>, id: string, n: number) {
  for await (const version of fromNewest(vault, id, await readMember(vault, id))) {
    if (version.n <= n) return false;
    if (version.by !== by) return true;
  }
  return false;
}

async function* fromNewest(vault: Vault, id: string, newest: Document<Member> | undefined): AsyncGenerator<Member> {
  for (let version = newest; version !== undefined; ) {
    yield version.value;
    const { n } = version.value;
    version = n === 1 ? undefined : await readVersion(vault, id, memberKey(id, n - 1));
  }
}

const isInOrder = ({ state }: Member): boolean => state !== 'suspended' && state !== 'left';

const goesTo = ({ destination: there }: Member, meant: MemberDestination): boolean =>
  there !== null && Buffer.compare(canonicalBytes(there), canonicalBytes(meant)) === 0;

/** Rejects with `TooManyActs` where a member has as many versions of the last day as somebody else's calls may add. */
export async function refuseHaste({ vault, clock }: RegistryPorts, id: string): Promise<void> {
  const n = (await readMember(vault, id))?.value.n ?? 0;
  const then = n < VERSIONS_A_DAY ? undefined : await readVersion(vault, id, memberKey(id, n - VERSIONS_A_DAY + 1));
  if (then === undefined || Date.parse(then.value.at) <= clock.now().getTime() - DAY_MS) return;
  throw tooMany(`${id} was changed ${VERSIONS_A_DAY} times within a day`);
}

const tooMany = (what: string): TooManyActs =>
  new TooManyActs(what, 'Find out what does so again and again; a day later it can be done once more.');

/** An act that leaves everything as it is writes nothing. */
function isSame(before: Member, after: Omit<Member, 'self'>): boolean {
  const { format, network, member, n, previous, at, by, what, self: _, ...standing } = before;
  const same = { ...standing, format, network, member, n, previous, at, by, what };
  return selfOf(same) === selfOf({ ...after, n, previous, at, by, what });
}

function selfOf({ self: _, ...version }: Omit<Member, 'self'> & { self?: string }): Sha256 {
  return sha256(canonicalBytes(version));
}
