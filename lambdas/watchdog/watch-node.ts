import { lastStart } from '../../core/cron.ts';
import { type Finding, statusOf } from '../../core/proof.ts';
import type { EndReceipt } from '../../core/receipts.ts';
import { slotAt } from '../../core/schedule.ts';
import { newestDrill } from '../../vault/drills.ts';
import { type NewestAttempt, newestAttempt } from '../../vault/newest-attempt.ts';
import { type StandingSet, standingSets } from '../../vault/standing-sets.ts';
import type { Trust } from '../../vault/trust.ts';
import type { WatchedNode } from './contract.ts';
import type { WatchdogPorts } from './run.ts';

/** What one turn of the watchdog has in common for all nodes. */
export interface Turn {
  readonly network: string;
  readonly now: Date;
  readonly trust: Trust;
  readonly snapshotThere: (id: string) => Promise<boolean>;
}

/** Findings of these codes contradict the order; any other violation is damage. */
const ORDER: readonly string[] = ['ORDER_VIOLATED', 'POSITIONS_VIOLATED'];

/** Lines of the log for one set; a set that is torn apart has as many findings as documents. */
const FINDINGS_TOLD = 20;

const secondsSince = (then: Date, now: Date): number => Math.max(0, (now.getTime() - then.getTime()) / 1000);

/** The newest set and the newest proven one: their age, and what is wrong with them. Resolves to the newest. */
export async function measureSets(watched: WatchedNode, turn: Turn, ports: WatchdogPorts) {
  const { node, components } = watched;
  const { network, now, trust, snapshotThere } = turn;
  const { vault, gauges, protocolNamed, heads } = ports;
  const near = heads.get(node) ?? 0;
  const { newest, proven } = await standingSets(vault, node, { network, trust, protocolNamed, snapshotThere, near });
  heads.set(node, newest?.seq ?? 0);
  for (const component of components) {
    // The state in a set is that of some instant after its capture began. Without one there is no age to tell.
    const began = proven?.receipts.get(component)?.startedAt;
    if (began === undefined) continue;
    gauges.set('RpoAge', secondsSince(new Date(began), now), { network, node, component });
  }
  const findings = newest?.findings ?? [];
  tell(ports, node, newest, findings);
  const count = (matches: (finding: Finding) => boolean) => findings.filter(matches).length;
  const ofOrder = ({ code }: Finding) => ORDER.includes(code);
  gauges.set(
    'Unproven',
    count(({ level }) => level === 'unknown'),
    { network, node },
  );
  gauges.set(
    'Damages',
    count((each) => each.level === 'violation' && !ofOrder(each)),
    { network, node },
  );
  return { newest, violations: count(ofOrder) };
}

function tell({ journal }: WatchdogPorts, node: string, set: StandingSet | undefined, findings: readonly Finding[]) {
  if (set === undefined) return journal.note('no set', { node });
  for (const { level, code, text } of findings.filter(({ level }) => level !== 'note').slice(0, FINDINGS_TOLD)) {
    journal.note('found', { node, set: set.seq, level, code, text });
  }
  journal.note('newest set', { node, set: set.seq, proof: statusOf(findings), expired: set.expired });
}

/**
 * Whether somebody has begun the slot that was due, and is at it. Resolves to that attempt. `due`: of a chain, whose
 * settings say it; null: nothing is.
 */
export async function measureSchedule(
  { node, everySeconds, timeZone }: WatchedNode,
  { network, now }: Turn,
  ports: WatchdogPorts,
  due: Date | null = lastStart(everySeconds, timeZone, now),
): Promise<NewestAttempt> {
  const attempt = await newestAttempt(ports.vault, node, slotAt(due ?? lastStart(everySeconds, timeZone, now)));
  const { gauges, journal } = ports;
  for (const { code, text } of attempt.findings) journal.note('found', { node, code, text });
  gauges.set('ScheduleSilence', attempt.claimed || due === null ? 0 : secondsSince(due, now), { network, node });
  const { lease } = attempt;
  const runs = lease?.state === 'held' && Date.parse(lease.expiresAt) > now.getTime();
  gauges.set('RunningFor', runs ? secondsSince(new Date(lease.slot), now) : 0, { network, node });
  return attempt;
}

/** A run that was refused for its order has left no set, and the reason in its lease. */
export const refusedForOrder = ({ lease }: NewestAttempt): number =>
  lease?.state === 'failed' && lease.error?.name === 'OrderViolated' ? 1 : 0;

/** A set just sealed is given this long to be promoted. */
const PROMOTION_SECONDS = 900;

/** Secrets that cannot be used, and a current version that is not the newest set's. */
export async function measureIdentities(
  { node, credentials, identities }: WatchedNode,
  newest: StandingSet | undefined,
  { network, now }: Turn,
  { secretState, gauges, journal }: WatchdogPorts,
): Promise<void> {
  const faults: { secret: string; why: string }[] = [];
  for (const secret of [...credentials, ...(identities === undefined ? [] : [identities])]) {
    const { fault, current } = await secretState(secret);
    if (fault !== undefined) faults.push({ secret, why: fault });
    else if (secret === identities && isBehind(newest, current, now)) {
      faults.push({ secret, why: 'its current version is not the one that the newest set stored' });
    }
  }
  for (const { secret, why } of faults) journal.note('identity fault', { node, secret, why });
  gauges.set('IdentityFaults', faults.length, { network, node });
}

function isBehind(newest: StandingSet | undefined, current: string | undefined, now: Date): boolean {
  if (newest?.sealedAt === undefined || secondsSince(newest.sealedAt, now) < PROMOTION_SECONDS) return false;
  const stored = [...newest.receipts.values()].map(storedVersion).find((version) => version !== undefined);
  return stored !== undefined && stored !== current;
}

/** What a capture of identities notes of the secret that it wrote. */
const storedVersion = ({ notes }: EndReceipt): string | undefined => notes['secret.versionId'];

/** A node that was never drilled has no age to tell. */
export async function measureDrill({ node }: WatchedNode, turn: Turn, { vault, gauges }: WatchdogPorts): Promise<void> {
  const { network, now, trust } = turn;
  const drill = await newestDrill(vault, node, trust);
  if (drill === undefined) return;
  gauges.set('DrillAge', secondsSince(new Date(drill.endedAt), now), { network, node });
  gauges.set('DrillFailed', drill.outcome === 'passed' ? 0 : 1, { network, node });
}
