import { Instant } from '../core/names.ts';
import type { Clock } from '../core/ports.ts';
import type { RestorePlan, Target } from '../core/restore-plan.ts';
import { type RestoreMark, type TargetState, targetState } from '../core/restore-state.ts';
import type { PostgresSource } from '../io/postgres/connection.ts';
import { type DatabaseServer, type Renaming, TargetInUse } from '../io/postgres/database-server.ts';
import { isEmpty, restoreDump } from '../io/postgres/restore.ts';
import type { ToolOptions } from '../io/postgres/tools.ts';
import { DatabaseNameTaken, NotTheOwner } from './restore-errors.ts';

export type DatabaseTarget = Extract<Target, { kind: 'database' }>;
type Component = RestorePlan['components'][number];

/** A database that a plan restores, and the server that it is on. */
export interface Place {
  readonly plan: RestorePlan;
  readonly component: Component;
  readonly target: DatabaseTarget;
  readonly source: PostgresSource;
  readonly server: DatabaseServer;
}

/** How far it has got. Rejects with `DatabaseNameTaken` where it cannot go on. */
export async function stateOf({ plan, component, target, server }: Place): Promise<TargetState> {
  const comments = await server.comments([target.database, target.beside, target.keptAs]);
  return targetState(target, { manifest: plan.manifest, artifact: component.artifact.sha256 }, comments);
}

export async function usableState(place: Place): Promise<Exclude<TargetState, { next: 'stop' }>> {
  const state = await stateOf(place);
  if (state.next === 'stop') throw new DatabaseNameTaken(state.taken, state.why);
  return state;
}

/** Rejects with `TargetInUse` if somebody is connected to what is to be replaced. */
export async function refuseVisitors({ target, server }: Place): Promise<void> {
  for (const database of [target.database, target.beside]) {
    const visitors = await server.visitors(database);
    if (visitors.length > 0) throw new TargetInUse(database, visitors);
  }
}

/** Rejects with `NotTheOwner` if what is to be replaced is another's, so that neither names nor owner could be given. */
export async function refuseForeign({ target, server }: Place): Promise<void> {
  const ownership = await server.ownership(target.database);
  if (ownership === undefined || ownership.asOwner) return;
  throw new NotTheOwner(target.database, ownership.owner, ownership.user);
}

export interface BesideOptions extends ToolOptions {
  readonly clock: Clock;
  readonly fencedBy: string;
  readonly signal?: AbortSignal;
  readonly onBytes?: (bytes: number) => void;
}

/** Restores beside the database in use, for its owner, in place of what an interrupted attempt has left there. */
export async function restoreBeside(
  place: Place,
  found: Extract<TargetState, { next: 'restore' }>['beside'],
  dump: AsyncIterable<Uint8Array>,
  options: BesideOptions,
): Promise<void> {
  const { component, target, source, server } = place;
  if (found === 'unmarked') await refuseUsed(place, options);
  if (found !== 'free') await server.drop(target.beside);
  await server.create(target.beside, target.database);
  await server.comment(target.beside, markOf(place, 'restoring', options));
  const { owner } = (await server.ownership(target.database)) ?? {};
  const whose = owner === undefined ? {} : { owner };
  await restoreDump(source, target.beside, component.artifact.content, dump, { ...options, ...whose });
}

/** A database that was made and not marked, since we were interrupted just then, holds nothing. */
async function refuseUsed({ target, source }: Place, options: ToolOptions): Promise<void> {
  if (await isEmpty(source, target.beside, options)) return;
  throw new DatabaseNameTaken(target.beside, 'it is not of this restore');
}

/** From here on only names change: what the old database has beside its content is carried over first. */
export async function markChecked(place: Place, options: BesideOptions): Promise<void> {
  const { server, target } = place;
  await server.carry(target.database, target.beside);
  await server.comment(target.beside, markOf(place, 'checked', options));
}

/** The two changes of name that put it in place; one where there is nothing to keep. Rejects with `TargetInUse`. */
export async function switching(place: Place, old: boolean, options: BesideOptions): Promise<Renaming[]> {
  await refuseVisitors(place);
  const { database, beside, keptAs } = place.target;
  const keep = old ? [{ from: database, to: keptAs }] : [];
  return [...keep, { from: beside, to: database, comment: markOf(place, 'in-place', options) }];
}

function markOf({ plan, component }: Place, state: RestoreMark['state'], { clock, fencedBy }: BesideOptions): string {
  const mark: RestoreMark = {
    format: 'ledgerhold/restore-mark/1',
    ...{ set: plan.set, manifest: plan.manifest, artifact: component.artifact.sha256 },
    ...{ state, at: Instant.parse(clock.now().toISOString()), fencedBy },
  };
  return JSON.stringify(mark);
}
