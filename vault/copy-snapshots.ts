import { setId } from '../core/names.ts';
import type { Clock, Journal } from '../core/ports.ts';
import type { SnapshotQuotas } from '../core/quota.ts';
import { pauseSeconds, STILL_SECONDS } from '../core/rds.ts';
import {
  askedAt,
  type CopyOrder,
  type FoundSnapshot,
  isWhole,
  type LackingSnapshot,
  refuseForeignCopy,
  refuseForeignSource,
  refuseFull,
  refuseLate,
  refuseStuckCopy,
  type SnapshotCopier,
  SnapshotNotCopied,
} from '../core/snapshot-copies.ts';
import type { Vault } from '../core/vault.ts';
import { see } from './seen-progress.ts';
import { tellWhere, type Wanted, wantedOf } from './wanted-copies.ts';

export interface CopySnapshotsPorts {
  readonly vault: Vault;
  readonly second: Vault;
  readonly copier: SnapshotCopier;
  readonly clock: Clock;
  readonly journal: Journal;
}

export interface SnapshotsBrought {
  /** There, or not needed any more: their sets have expired meanwhile. */
  readonly copied: number;
  /** Being copied. */
  readonly going: number;
  /** Not begun yet: RDS is busy with them, or with others. */
  readonly waiting: number;
  /** When it is worth looking again at what is being copied. */
  readonly lookAgainSeconds: number;
  readonly faults: readonly SnapshotNotCopied[];
}

/** RDS makes 5 copies of clusters at once from one Region to another for an account (20 of instances); one is left to others. */
const COPIES_AT_ONCE = 4;

/** RDS has been asked to do something, or is busy; both are over in a minute. */
const SHORTLY_SECONDS = 30;

type Standing =
  | { readonly is: 'copied' }
  | { readonly is: 'absent' | 'waiting'; readonly wanted: Wanted }
  | { readonly is: 'going'; readonly wanted: Wanted; readonly lookAgainSeconds: number };

/**
 * Brings every one of these snapshots as far towards its copy in the second account as it will go now, the first ones
 * first. What it does is known by the names of copies, so that it may be broken off, repeated and doubled. A fault of
 * one holds up no other. Rejects as `SnapshotCopier` does where all of RDS is out of reach.
 */
export async function copySnapshots(
  snapshots: readonly LackingSnapshot[],
  ports: CopySnapshotsPorts,
): Promise<SnapshotsBrought> {
  const faults: SnapshotNotCopied[] = [];
  const standings: Standing[] = [];
  for (const lacking of snapshots) {
    const standing = await unlessFault(faults, lacking, ports, () => look(lacking, ports));
    if (standing !== undefined) standings.push(standing);
  }
  const begun = await beginSome(standings, faults, ports);
  const all = [...standings.filter(({ is }) => is !== 'absent'), ...begun];
  for (const each of all) {
    if (each.is !== 'copied')
      await unlessFault(faults, each.wanted.lacking, ports, async () => late(each.wanted, ports));
  }
  const count = (is: Standing['is']) => all.filter((each) => each.is === is).length;
  const pauses = all.flatMap((each) => (each.is === 'going' ? [each.lookAgainSeconds] : []));
  return {
    ...{ copied: count('copied'), going: count('going'), waiting: count('waiting'), faults },
    lookAgainSeconds: Math.min(...pauses, 300),
  };
}

/** Undefined, and noted, for what is wrong with this snapshot alone. */
async function unlessFault<T>(
  faults: SnapshotNotCopied[],
  { node, seq, component }: LackingSnapshot,
  { journal }: CopySnapshotsPorts,
  act: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await act();
  } catch (error) {
    if (!(error instanceof SnapshotNotCopied)) throw error;
    faults.push(error);
    journal.failure('not copied', { node, seq, component }, error);
    return undefined;
  }
}

async function look(lacking: LackingSnapshot, ports: CopySnapshotsPorts): Promise<Standing> {
  const wanted = await wantedOf(lacking, ports);
  if (wanted === undefined) return { is: 'copied' };
  const copy = await ports.copier.copy(wanted.order);
  if (copy === undefined) return { is: 'absent', wanted };
  refuseForeignCopy(wanted.order, copy);
  const whole = await orUnshared(wanted.order, ports, async () => isWhole(`copy ${wanted.order.id}`, copy.status));
  if (!whole) return going(wanted, copy, ports);
  // Before the document, which is the commit mark: nobody looks at this snapshot again after it.
  if (!(await ports.copier.unshare(wanted.order))) return { is: 'going', wanted, lookAgainSeconds: SHORTLY_SECONDS };
  await tellWhere(wanted, copy, ports.second);
  return { is: 'copied' };
}

/** Whatever ends a copy ends the sharing of its source. */
async function orUnshared<T>(order: CopyOrder, { copier }: CopySnapshotsPorts, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (error instanceof SnapshotNotCopied) await copier.unshare(order);
    throw error;
  }
}

async function going(wanted: Wanted, copy: FoundSnapshot, { vault, clock, journal }: CopySnapshotsPorts) {
  const { node, seq, component } = wanted.lacking;
  const now = clock.now();
  const asked = askedAt(copy)?.getTime() ?? now.getTime();
  const elapsed = (now.getTime() - asked) / 1000;
  refuseStuckCopy(wanted.order.id, elapsed);
  const { slot, fence } = wanted.reference;
  const attempt = { node, slot, fence, component: `${component}.copy-${asked}` };
  const still = await see(vault, attempt, copy.percent, now);
  if (still >= STILL_SECONDS) {
    const about = { node, seq, component, percent: copy.percent, minutes: Math.floor(still / 60) };
    journal.note('a copy stands still', about);
  }
  return { is: 'going', wanted, lookAgainSeconds: pauseSeconds(elapsed) } as const;
}

/** Begins what is absent, in its order, for as long as RDS makes so many copies at once. */
async function beginSome(
  standings: readonly Standing[],
  faults: SnapshotNotCopied[],
  ports: CopySnapshotsPorts,
): Promise<Standing[]> {
  const begun: Standing[] = [];
  const under = standings.filter(({ is }) => is === 'going').length;
  let quotas: SnapshotQuotas | undefined;
  const absent = standings.flatMap((each) => (each.is === 'absent' ? [each.wanted] : []));
  for (const wanted of absent) {
    const made = begun.filter(({ is }) => is === 'going');
    if (under + made.length >= COPIES_AT_ONCE) {
      begun.push({ is: 'waiting', wanted });
      continue;
    }
    quotas ??= await ports.copier.quotas();
    const room = quotas;
    const standing = await unlessFault(faults, wanted.lacking, ports, () => begin(wanted, made, room, ports));
    if (standing !== undefined) begun.push(standing);
  }
  return begun;
}

async function begin(
  wanted: Wanted,
  begun: readonly Standing[],
  quotas: SnapshotQuotas,
  ports: CopySnapshotsPorts,
): Promise<Standing> {
  const { order, reference } = wanted;
  const { copier, clock, journal } = ports;
  const source = await sourceOf(wanted, copier);
  if (!isWhole(`snapshot ${order.source.id}`, source.status)) return { is: 'waiting', wanted };
  const ofKind = begun.filter((each) => 'wanted' in each && each.wanted.order.kind === order.kind);
  refuseFull(order.kind, ofKind.length, quotas);
  const asked = await orUnshared(
    order,
    ports,
    async () => (await copier.share(order)) && copier.begin(order, clock.now()),
  );
  if (!asked) return { is: 'waiting', wanted };
  const { node, component } = reference;
  journal.note('copy begun', { node, seq: wanted.lacking.seq, component, copy: order.id });
  return { is: 'going', wanted, lookAgainSeconds: SHORTLY_SECONDS };
}

async function sourceOf({ order, reference }: Wanted, copier: SnapshotCopier): Promise<FoundSnapshot> {
  const { id } = order.source;
  if (reference.kmsKey === null) {
    throw new SnapshotNotCopied(
      `snapshot ${id} is not encrypted, and the second vault takes none that is not`,
      'Have its database encrypted with a key of your own; sets that are captured then have their copies.',
    );
  }
  const found = await copier.source(order);
  if (found === undefined) {
    throw new SnapshotNotCopied(
      `snapshot ${id} was deleted before it was copied to the second vault`,
      'Find out who deleted it (CloudTrail: DeleteDBSnapshot); the set has neither it nor a copy.',
    );
  }
  refuseForeignSource(order, reference, found);
  return found;
}

async function late({ lacking, sealedAt }: Wanted, { clock }: CopySnapshotsPorts): Promise<void> {
  refuseLate(`${lacking.component} of set ${setId(lacking.node, lacking.seq)}`, sealedAt, clock.now());
}
