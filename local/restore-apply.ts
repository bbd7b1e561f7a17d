import { isDeepStrictEqual } from 'node:util';
import { setId } from '../core/names.ts';
import type { ByteFilter, Clock } from '../core/ports.ts';
import type { Reading } from '../core/positions.ts';
import type { RestorePlan } from '../core/restore-plan.ts';
import type { Vault } from '../core/vault.ts';
import type { PostgresSource } from '../io/postgres/connection.ts';
import type { Renaming } from '../io/postgres/database-server.ts';
import { factsOf } from '../io/postgres/restore.ts';
import type { ToolOptions } from '../io/postgres/tools.ts';
import { openArtifact } from '../vault/artifact.ts';
import { NotADocument } from '../vault/documents.ts';
import { manifestSeqs, readManifest } from '../vault/sets.ts';
import { type ProvedSet, type ProveOptions, proveOne } from '../vault/sound-set.ts';
import { refuseOld } from './restore-age.ts';
import { FenceMissing, PlanOutdated } from './restore-errors.ts';
import { openPlaces, type Places } from './restore-places.ts';
import {
  type BesideOptions,
  markChecked,
  type Place,
  refuseForeign,
  refuseVisitors,
  restoreBeside,
  switching,
  usableState,
} from './restore-target.ts';
import { checkMeaning, type Meaning, type Restored, readingOf } from './restored-reading.ts';
import { meaningOf } from './soundness.ts';

export interface ApplyOptions extends ProveOptions, ToolOptions {
  /** Opens what is encrypted; absent where nothing is. */
  readonly decrypt?: ByteFilter;
  /** The database that the config has for a component; its password is in it. */
  readonly source: (component: string) => PostgresSource;
  /** Who says that the node is stopped and stays so; absent if nobody does. */
  readonly fencedBy?: string;
  readonly clock: Clock;
  readonly onStep?: (step: RestoreStep) => void;
  /** What components say that were restored elsewhere, by name. */
  readonly readings?: ReadonlyMap<string, Reading>;
}

/** What is told while a restore goes on. `bytes` are of the dump, `of` is its whole size. */
export type RestoreStep =
  | { readonly kind: 'restoring'; readonly component: string; readonly bytes: number; readonly of: number }
  | { readonly kind: 'checked' | 'found-checked' | 'found-in-place' | 'in-place'; readonly component: string };

/** What became of one database. */
export interface Applied {
  readonly component: string;
  readonly database: string;
  /** What the old database is called now; null if there was none. */
  readonly keptAs: string | null;
  /** Settings of the old one that only somebody else may make, such as a superuser. */
  readonly lost: readonly string[];
}

/**
 * Does exactly what the plan says: restores each database beside the one in use, checks there that it is what was
 * captured, and only when all of them are, changes the names. Run again after an interruption it goes on where it was:
 * all it needs to know is in the databases' own names and comments.
 * Rejects with a class of `restore-errors.ts`, `NoSafeSet` if the set has become too old, `ArtifactDamaged`,
 * `IdentityNeeded`, or what the databases fail with.
 */
export async function applyPlan(plan: RestorePlan, options: ApplyOptions): Promise<Applied[]> {
  const set = await soundSet(plan, options);
  await refuseNewer(plan, options);
  const { fencedBy, ...rest } = options;
  if (fencedBy === undefined) throw new FenceMissing(plan.node);
  const places = await openPlaces(plan, options);
  try {
    await places.lock();
    const open = await unfinished(places);
    for (const place of open) {
      await refuseForeign(place);
      await refuseVisitors(place);
    }
    // Where all is done the node may be running already, and its databases no longer say what they said.
    if (open.length > 0) {
      refuseOld(plan, set, options.clock.now());
      await prepare(places, set, { ...rest, fencedBy });
    }
    return await switchOver(places, { ...rest, fencedBy });
  } finally {
    await places.close();
  }
}

async function unfinished({ all }: Places): Promise<Place[]> {
  const open: Place[] = [];
  for (const place of all) if ((await usableState(place)).next !== 'nothing') open.push(place);
  return open;
}

type Fenced = ApplyOptions & { readonly fencedBy: string };

/** Proves the set anew, and that the plan's artifacts are the set's. */
export async function soundSet(plan: RestorePlan, options: ProveOptions): Promise<ProvedSet & { meaning: Meaning }> {
  const set = await proveOne(plan.node, plan.seq, options);
  if (set.manifest.sha256 !== plan.manifest) throw new PlanOutdated(`${plan.set} is another set than it was`);
  const meaning = meaningOf(set, acceptsDoubt(plan));
  for (const { component, artifact } of plan.components) {
    const cited = set.proof.artifacts.find((each) => each.component === component)?.artifact;
    if (!isDeepStrictEqual(cited, artifact)) throw new PlanOutdated(`${component} of ${plan.set} is another artifact`);
  }
  return { ...set, meaning };
}

const acceptsDoubt = ({ accepted }: RestorePlan): boolean => accepted.some(({ hazard }) => hazard === 'unproven');

/** A set sealed after the plan was made shows that the node has gone on, or that somebody goes on with it. */
export async function refuseNewer(plan: RestorePlan, { vault }: ProveOptions): Promise<void> {
  const newer = (await manifestSeqs(vault, plan.node)).filter((seq) => seq > plan.seq);
  for (const seq of newer.toReversed()) {
    const sealedAt = await sealedAtOf(vault, plan.node, seq);
    if (sealedAt === undefined) continue;
    if (Date.parse(sealedAt) <= Date.parse(plan.createdAt)) return;
    throw new PlanOutdated(`set ${setId(plan.node, seq)} was sealed after it, at ${sealedAt}: a newer state exists`);
  }
}

/** Undefined for a damaged manifest: plans pass over those, and one must not keep what lies before it from use. */
async function sealedAtOf(vault: Vault, node: string, seq: number): Promise<string | undefined> {
  try {
    return (await readManifest(vault, node, seq))?.value.sealedAt;
  } catch (error) {
    if (error instanceof NotADocument) return undefined;
    throw error;
  }
}

/** Restores and checks whatever is not yet. Nothing that a node opens is touched. */
async function prepare(places: Places, set: ProvedSet & { meaning: Meaning }, options: Fenced): Promise<void> {
  const restored: Restored[] = [];
  for (const { component, role, artifact, target } of places.plan.components) {
    options.signal?.throwIfAborted();
    const attested = set.proof.receipts.get(component)?.end?.value.reading;
    const place = places.of(component);
    if (target.kind !== 'database' || place === undefined) {
      restored.push({ component, role, attested, reading: options.readings?.get(component) ?? attested });
      continue;
    }
    const { next } = await restoreOne(place, openArtifact(options.vault, artifact, options.decrypt), options);
    const where = next === 'nothing' ? target.database : target.beside;
    const facts = await factsOf(place.source, where, set.meaning.positions.queries, options);
    restored.push({ component, role, attested, reading: readingOf(component, role, facts, set.meaning) });
  }
  checkMeaning(places.plan.set, restored, set.meaning, acceptsDoubt(places.plan));
  for (const place of places.all) {
    // Marked as a part until now, however whole it is.
    if ((await usableState(place)).next !== 'restore') continue;
    await markChecked(place, besideOptions(place, options));
    options.onStep?.({ kind: 'checked', component: place.component.component });
  }
}

async function restoreOne(place: Place, dump: AsyncIterable<Uint8Array>, options: Fenced) {
  const state = await usableState(place);
  const { component } = place.component;
  if (state.next === 'restore') await restoreBeside(place, state.beside, dump, besideOptions(place, options));
  else options.onStep?.({ kind: state.next === 'switch' ? 'found-checked' : 'found-in-place', component });
  return state;
}

function besideOptions({ component: { component, artifact } }: Place, options: Fenced): BesideOptions {
  const onBytes = (bytes: number) => options.onStep?.({ kind: 'restoring', component, bytes, of: artifact.plain.size });
  return { ...options, onBytes };
}

/** One transaction for each server: what lies on one server changes its names together. */
async function switchOver(places: Places, options: Fenced): Promise<Applied[]> {
  const applied: Applied[] = [];
  for (const [server, ours] of places.byServer()) {
    options.signal?.throwIfAborted();
    const renamings: Renaming[] = [];
    for (const place of ours) {
      const state = await usableState(place);
      const { component } = place.component;
      if (state.next === 'restore') throw new TypeError(`${component} is to be put in place unchecked`);
      if (state.next === 'switch')
        renamings.push(...(await switching(place, state.old, besideOptions(place, options))));
    }
    if (renamings.length > 0) await server.rename(renamings);
    for (const place of ours) {
      options.onStep?.({ kind: 'in-place', component: place.component.component });
      applied.push(await appliedAt(place));
    }
  }
  return applied;
}

/** Told by the server alone, so that who runs this again is told the same. */
async function appliedAt(place: Place): Promise<Applied> {
  const { component, target, server } = place;
  const state = await usableState(place);
  const keptAs = state.next === 'nothing' && state.old ? target.keptAs : null;
  const lost = keptAs === null ? [] : await server.lost(keptAs, target.database);
  return { component: component.component, database: target.database, keptAs, lost };
}
