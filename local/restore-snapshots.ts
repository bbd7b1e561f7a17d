import type { Facts } from '../core/facts.ts';
import type { Clock } from '../core/ports.ts';
import type { Reading } from '../core/positions.ts';
import type { SnapshotCopies } from '../core/rds-restore.ts';
import {
  type CopyStep,
  type Endpoint,
  isTheSnapshot,
  nextStep,
  type RdsTarget,
  restoreTags,
} from '../core/rds-restore.ts';
import type { RestorePlan } from '../core/restore-plan.ts';
import type { ProveOptions } from '../vault/sound-set.ts';
import { refuseOld } from './restore-age.ts';
import { refuseNewer, soundSet } from './restore-apply.ts';
import { CopyFailed, FenceMissing, InstanceNameTaken, RestoreTooSlow, SnapshotGone } from './restore-errors.ts';
import { checkMeaning, type Meaning, type Restored, readingOf } from './restored-reading.ts';

export interface SnapshotRestoreOptions extends ProveOptions {
  readonly copies: SnapshotCopies;
  readonly clock: Clock;
  readonly pause: (seconds: number, signal: AbortSignal | undefined) => Promise<void>;
  /** Asks a restored database, from where this runs; undefined where the config does not say how. */
  readonly ask: (
    component: string,
    at: Endpoint,
    queries: Meaning['positions']['queries'],
  ) => Promise<Facts | undefined>;
  readonly fencedBy?: string;
  readonly onStep?: (component: string, text: string) => void;
}

/** A component that has been restored beside the old one, and where it answers. */
export interface RestoredCopy {
  readonly component: string;
  readonly kind: RdsTarget['snapshot']['kind'];
  /** What it is called, and what the old one is, which was not touched. */
  readonly identifier: string;
  readonly old: string;
  readonly endpoint: Endpoint;
}

export interface SnapshotsRestored {
  readonly copies: readonly RestoredCopy[];
  /** Components whose positions could not be asked for: what the restored node means is not known then. */
  readonly unasked: readonly string[];
  /** What the others say. */
  readonly readings: ReadonlyMap<string, Reading>;
}

/** Between two looks at what RDS is doing. A restore takes many minutes, and a look is one call a component. */
const LOOK_SECONDS = 15;
/** RDS restores lazily, so that even terabytes are available within the hour. */
const LONGEST_HOURS = 4;

/**
 * Restores every snapshot of a plan as an instance or cluster of its own, beside the one in use, which stays as it is;
 * then asks the restored databases how far they are. Run again after an interruption it finds its own by their tags.
 * Rejects with a class of `restore-errors.ts`, `NoSafeSet`, or as `SnapshotCopies` does.
 */
export async function restoreSnapshots(plan: RestorePlan, options: SnapshotRestoreOptions): Promise<SnapshotsRestored> {
  const set = await soundSet(plan, options);
  await refuseNewer(plan, options);
  refuseOld(plan, set, options.clock.now());
  if (options.fencedBy === undefined) throw new FenceMissing(plan.node);
  const targets = rdsTargets(plan);
  // All of them are looked at before the first is made.
  for (const [, target] of targets) await refuseGone(target, options.copies);
  for (const [component, target] of targets) await stepOf(plan, component, target, options);
  const copies = await whenAvailable(plan, targets, options);
  return { copies, ...(await askAll(plan, copies, set, options)) };
}

/** Where each copy stands now; nothing is changed. The same refusals as a restore's. */
export async function previewSnapshots(
  plan: RestorePlan,
  options: Omit<SnapshotRestoreOptions, 'pause' | 'ask'>,
): Promise<{ readonly component: string; readonly identifier: string; readonly step: CopyStep }[]> {
  const set = await soundSet(plan, options);
  refuseOld(plan, set, options.clock.now());
  await refuseNewer(plan, options);
  const previews: { component: string; identifier: string; step: CopyStep }[] = [];
  for (const [component, target] of rdsTargets(plan)) {
    await refuseGone(target, options.copies);
    const step = await stepOf(plan, component, target, options);
    previews.push({ component, identifier: target.beside, step });
  }
  return previews;
}

export const rdsTargets = ({ components }: RestorePlan): [component: string, RdsTarget][] =>
  components.flatMap(({ component, target }) => (target.kind === 'rds' ? [[component, target]] : []));

async function refuseGone(target: RdsTarget, copies: SnapshotCopies): Promise<void> {
  const { id } = target.snapshot;
  const found = await copies.snapshot(target);
  if (found === undefined) throw new SnapshotGone(id, 'RDS does not have it');
  if (found.status !== 'available') throw new SnapshotGone(id, `its status is ${found.status}`);
  if (!isTheSnapshot(target, found.tags)) throw new SnapshotGone(id, 'its tags are not those that were sealed');
}

async function stepOf(
  plan: RestorePlan,
  component: string,
  target: RdsTarget,
  { copies }: Pick<SnapshotRestoreOptions, 'copies'>,
): Promise<CopyStep> {
  const step = nextStep(target, restoreTags(plan, target), await copies.find(target));
  if (step.next === 'taken') throw new InstanceNameTaken(target.beside);
  if (step.next === 'failed') throw new CopyFailed(component, target.beside, step.status);
  return step;
}

async function whenAvailable(
  plan: RestorePlan,
  targets: readonly [string, RdsTarget][],
  options: SnapshotRestoreOptions,
): Promise<RestoredCopy[]> {
  const began = options.clock.now().getTime();
  for (;;) {
    const done: RestoredCopy[] = [];
    for (const [component, target] of targets) {
      options.signal?.throwIfAborted();
      const step = await stepOf(plan, component, target, options);
      const endpoint = await act(plan, component, target, step, options);
      const { kind, source: old } = target.snapshot;
      if (endpoint !== undefined) done.push({ component, kind, identifier: target.beside, old, endpoint });
    }
    if (done.length === targets.length) return done;
    const open = targets.filter(([component]) => !done.some((each) => each.component === component));
    if (options.clock.now().getTime() - began > LONGEST_HOURS * 3_600_000) {
      throw new RestoreTooSlow(
        open.map(([, { beside }]) => beside),
        LONGEST_HOURS,
      );
    }
    await options.pause(LOOK_SECONDS, options.signal);
  }
}

async function act(
  plan: RestorePlan,
  component: string,
  target: RdsTarget,
  step: CopyStep,
  { copies, onStep }: SnapshotRestoreOptions,
): Promise<Endpoint | undefined> {
  const tags = restoreTags(plan, target);
  switch (step.next) {
    case 'restore':
      await copies.restore(target, tags);
      onStep?.(component, `restoring ${target.snapshot.id} as ${target.beside}`);
      return undefined;
    case 'add-instance':
      await copies.addInstance(target, tags);
      onStep?.(component, `adding an instance to ${target.beside}`);
      return undefined;
    case 'done':
      onStep?.(component, `${target.beside} is available`);
      return step.endpoint;
    default:
      onStep?.(component, `${target.beside} is ${'status' in step ? step.status : step.next}`);
      return undefined;
  }
}

/** Judges by the ledger's laws what the restored databases say. Names the components that nobody could ask. */
async function askAll(
  plan: RestorePlan,
  copies: readonly RestoredCopy[],
  { meaning, proof }: Awaited<ReturnType<typeof soundSet>>,
  { ask }: SnapshotRestoreOptions,
): Promise<Pick<SnapshotsRestored, 'unasked' | 'readings'>> {
  const restored: Restored[] = [];
  const unasked: string[] = [];
  const readings = new Map<string, Reading>();
  for (const { component, role } of plan.components) {
    const attested = proof.receipts.get(component)?.end?.value.reading;
    const copy = copies.find((each) => each.component === component);
    const facts = copy && (await ask(component, copy.endpoint, meaning.positions.queries));
    if (copy !== undefined && facts === undefined) unasked.push(component);
    const reading = facts === undefined ? attested : readingOf(component, role, facts, meaning);
    if (facts !== undefined && reading !== undefined) readings.set(component, reading);
    restored.push({ component, role, attested, reading });
  }
  // What nobody asked is told as such, and is no verdict.
  checkMeaning(plan.set, restored, meaning, unasked.length > 0);
  return { unasked, readings };
}
