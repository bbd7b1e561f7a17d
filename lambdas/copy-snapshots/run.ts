import { SnapshotNotCopied } from '../../core/snapshot-copies.ts';
import type { InputOf, OutputOf } from '../../core/step.ts';
import { copySnapshots as bringFurther, type CopySnapshotsPorts } from '../../vault/copy-snapshots.ts';
import type { copySnapshots } from './contract.ts';

/**
 * One look at every copy. Faults are told at each look, and the step fails by them when nothing else is left to wait
 * for, so that none holds up another.
 */
export async function run(
  { snapshots, lookUntil }: InputOf<typeof copySnapshots>,
  ports: CopySnapshotsPorts,
): Promise<OutputOf<typeof copySnapshots>> {
  const { faults, lookAgainSeconds, ...brought } = await bringFurther(snapshots, ports);
  const secondsLeft = (Date.parse(lookUntil) - ports.clock.now().getTime()) / 1000;
  const done = brought.going + brought.waiting === 0 || secondsLeft < lookAgainSeconds;
  ports.journal.note('brought further', { done, ...brought });
  if (done) refuse(faults);
  return { done, waitSeconds: done ? 0 : lookAgainSeconds, ...brought };
}

function refuse(faults: readonly SnapshotNotCopied[]): void {
  const [first, ...others] = faults;
  if (first === undefined) return;
  const more = others.length === 0 ? '' : `; and ${others.length} more, which the log names`;
  throw new SnapshotNotCopied(`${first.message}${more}`, first.remedy, { cause: first });
}
