import { NoSafeSet, tooOld } from '../core/choose-set.ts';
import type { RestorePlan } from '../core/restore-plan.ts';
import type { ProvedSet } from '../vault/sound-set.ts';

/** When a set's first capture started: no state in it is younger. ISO 8601, UTC. */
export function takenAt({ manifest, proof }: Pick<ProvedSet, 'manifest' | 'proof'>): string {
  const starts = [...proof.receipts.values()].flatMap(({ start }) => start?.value.startedAt ?? []);
  const { sealedAt } = manifest.value;
  return starts.reduce<string>((first, each) => (Date.parse(each) < Date.parse(first) ? each : first), sealedAt);
}

/** A plan may lie about until its set is too old. Throws `NoSafeSet` then, unless the plan says that this was accepted. */
export function refuseOld({ accepted }: RestorePlan, set: ProvedSet, now: Date): void {
  const { protocol } = set.proof;
  if (protocol === undefined || accepted.some(({ hazard }) => hazard === 'old')) return;
  const against = tooOld(takenAt(set), now, protocol.restore);
  if (against !== undefined) throw new NoSafeSet({ ok: false, hazards: [against], passedOver: [] });
}
