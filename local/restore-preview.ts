import type { RestorePlan } from '../core/restore-plan.ts';
import type { TargetState } from '../core/restore-state.ts';
import type { ProveOptions } from '../vault/sound-set.ts';
import { refuseNewer, soundSet } from './restore-apply.ts';
import { openPlaces, type PlacesOptions } from './restore-places.ts';
import { stateOf } from './restore-target.ts';

/** How one database of a plan stands now, and who is connected to it. */
export interface Preview {
  readonly component: string;
  readonly state: TargetState;
  readonly visitors: readonly string[];
}

/** Everything of `applyPlan` that changes nothing: the same proofs and refusals, and where each database stands. */
export async function previewPlan(plan: RestorePlan, options: ProveOptions & PlacesOptions): Promise<Preview[]> {
  await soundSet(plan, options);
  await refuseNewer(plan, options);
  const places = await openPlaces(plan, options);
  try {
    const previews: Preview[] = [];
    for (const place of places.all) {
      const visitors = await place.server.visitors(place.target.database);
      previews.push({ component: place.component.component, state: await stateOf(place), visitors });
    }
    return previews;
  } finally {
    await places.close();
  }
}
