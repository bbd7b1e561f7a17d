import type { RestorePlan } from '../core/restore-plan.ts';
import type { TargetState } from '../core/restore-state.ts';
import { refuseOld } from './restore-age.ts';
import { type ApplyOptions, refuseNewer, soundSet } from './restore-apply.ts';
import { openPlaces } from './restore-places.ts';
import { refuseForeign, stateOf } from './restore-target.ts';

/** How one database of a plan stands now, and who is connected to it. */
export interface Preview {
  readonly component: string;
  readonly state: TargetState;
  readonly visitors: readonly string[];
}

/** Everything of `applyPlan` that changes nothing: the same proofs and refusals, and where each database stands. */
export async function previewPlan(plan: RestorePlan, options: ApplyOptions): Promise<Preview[]> {
  const set = await soundSet(plan, options);
  refuseOld(plan, set, options.clock.now());
  await refuseNewer(plan, options);
  const places = await openPlaces(plan, options);
  try {
    const previews: Preview[] = [];
    for (const place of places.all) {
      await refuseForeign(place);
      const visitors = await place.server.visitors(place.target.database);
      previews.push({ component: place.component.component, state: await stateOf(place), visitors });
    }
    return previews;
  } finally {
    await places.close();
  }
}
