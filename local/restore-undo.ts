import type { RestorePlan } from '../core/restore-plan.ts';
import type { TargetState } from '../core/restore-state.ts';
import type { DatabaseServer, Renaming } from '../io/postgres/database-server.ts';
import { FenceMissing } from './restore-errors.ts';
import { openPlaces, type PlacesOptions } from './restore-places.ts';
import { type Place, refuseVisitors, stateOf } from './restore-target.ts';

/** What became of one database. */
export interface Undone {
  readonly component: string;
  /** `back`: the old one has its name again. `dropped`: what lay beside is gone. `untouched`: there was nothing to undo. */
  readonly outcome: 'back' | 'dropped' | 'untouched';
  /** The restored database, which the node may have written to: kept under this name; null if there is none. */
  readonly keptAs: string | null;
}

export interface UndoOptions extends PlacesOptions {
  readonly fencedBy?: string;
  readonly signal?: AbortSignal;
}

/**
 * Takes a restore back, from wherever it was: old databases get their names again, and what was restored but never in
 * place is dropped. A database that was in place is never dropped. Rejects with `FenceMissing`, `TargetInUse`,
 * `RestoreRunning`, `PlanOutdated`, or what the databases fail with.
 */
export async function undoPlan(plan: RestorePlan, options: UndoOptions): Promise<Undone[]> {
  if (options.fencedBy === undefined) throw new FenceMissing(plan.node);
  const places = await openPlaces(plan, options);
  try {
    await places.lock();
    const undone: Undone[] = [];
    for (const [server, ours] of places.byServer()) {
      options.signal?.throwIfAborted();
      undone.push(...(await undoOn(server, ours)));
    }
    return undone;
  } finally {
    await places.close();
  }
}

/** Names first, in one transaction; only then is anything dropped. */
async function undoOn(server: DatabaseServer, ours: readonly Place[]): Promise<Undone[]> {
  const states: { place: Place; state: TargetState }[] = [];
  for (const place of ours) states.push({ place, state: await stateOf(place) });
  const back = states.filter(({ state }) => state.next === 'nothing');
  for (const { place } of back) await refuseVisitors(place);
  const renamings = back.flatMap(({ place, state }) => backwards(place, state));
  if (renamings.length > 0) await server.rename(renamings);
  const undone: Undone[] = [];
  for (const { place, state } of states) undone.push(await rest(place, state));
  return undone;
}

function backwards({ target: { database, beside, keptAs } }: Place, state: TargetState): Renaming[] {
  const old = 'old' in state && state.old ? [{ from: keptAs, to: database }] : [];
  return [{ from: database, to: beside }, ...old];
}

async function rest({ server, target, component: { component } }: Place, state: TargetState): Promise<Undone> {
  if (state.next === 'nothing') return { component, outcome: 'back', keptAs: target.beside };
  const ours = state.next === 'switch' || (state.next === 'restore' && state.beside === 'leftover');
  if (!ours) return { component, outcome: 'untouched', keptAs: null };
  await server.drop(target.beside);
  return { component, outcome: 'dropped', keptAs: null };
}
