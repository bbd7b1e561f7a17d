import { CreateDBClusterSnapshotCommand, CreateDBSnapshotCommand, type RDSClient } from '@aws-sdk/client-rds';
import * as z from 'zod';
import { canonicalBytes } from '../core/canonical.ts';
import { snapshotId } from '../core/deployed-names.ts';
import { Instant } from '../core/names.ts';
import type { CaptureOrder, Polled } from '../core/ports.ts';
import { isAvailable, pauseSeconds, refuseStuck, SnapshotFailed, STILL_SECONDS } from '../core/rds.ts';
import { type Artifact, Captured, type EndReceipt, PredecessorNotEnded } from '../core/receipts.ts';
import {
  isOurTag,
  SNAPSHOT_CONTENT,
  SnapshotKind,
  SnapshotReference,
  SourceSettings,
  snapshotTags,
} from '../core/snapshots.ts';
import type { Vault } from '../core/vault.ts';
import { sha256 } from '../io/digest.ts';
import { longestPause, see } from '../vault/seen-progress.ts';
import { readSnapshotReference } from '../vault/snapshot-reference.ts';
import type { CaptureEnd, DeployedSource } from './deployed-captures.ts';
import { asTags, describeSnapshot, type SnapshotFacts } from './rds-describe.ts';
import { callRds, RdsRefused } from './rds-errors.ts';
import { type RdsReach, type RdsSource, refusalOf, usableSource } from './rds-source.ts';

/** All that `poll` and `finish` need; it travels through the state machine, so it is small and holds no secret. */
const Handle = z.strictObject({
  network: z.string(),
  node: z.string(),
  slot: z.string(),
  fence: z.int(),
  component: z.string(),
  /** Key of the artifact-to-be. */
  key: z.string(),
  kind: SnapshotKind,
  id: z.string(),
  source: z.string(),
  sourceArn: z.string(),
  startedAt: Instant,
  tags: z.record(z.string(), z.string()),
  settings: SourceSettings,
});
type Handle = z.infer<typeof Handle>;

/** A component that is captured by a snapshot of its instance or cluster. */
export const rdsSource = (source: RdsSource, reach: RdsReach): DeployedSource => ({
  kind: 'rds',
  at: `rds:${source.kind}:${source.id}`,
  start: async (order) => JSON.stringify(await start(source, order, reach)),
});

async function start({ kind, id: source }: RdsSource, order: CaptureOrder, reach: RdsReach): Promise<Handle> {
  const id = snapshotId(order, sha256);
  const tags = snapshotTags(order, order.predecessors);
  // Looked for first: while its snapshot is made, a source is busy for any other call.
  const earlier = await adopt({ kind, id, source, tags }, reach.rds);
  const facts = await usableSource(kind, source, reach, earlier !== undefined);
  const { network, node, slot, fence, component, prefix } = order;
  const handle = {
    ...{ network, node, slot, fence, component, kind, id, source, tags },
    key: `${prefix}${component}.snapshot.json`,
    sourceArn: facts.arn,
    startedAt: Instant.parse((earlier?.createdAt ?? reach.clock.now()).toISOString()),
    settings: facts.settings,
  };
  if (earlier === undefined) await create(handle, reach.rds);
  return handle;
}

/** The name is the attempt's own: if it is taken, it is by this very attempt, or nothing of it is believed. */
async function create({ kind, id, source, tags }: Handle, rds: RDSClient): Promise<void> {
  const Tags = asTags(tags);
  try {
    await callRds(source, () =>
      kind === 'cluster'
        ? rds.send(
            new CreateDBClusterSnapshotCommand({ DBClusterSnapshotIdentifier: id, DBClusterIdentifier: source, Tags }),
          )
        : rds.send(new CreateDBSnapshotCommand({ DBSnapshotIdentifier: id, DBInstanceIdentifier: source, Tags })),
    );
  } catch (error) {
    if (!(error instanceof RdsRefused)) throw error;
    if (!/^DB(Cluster)?SnapshotAlreadyExists$/.test(error.code)) throw refusalOf(source, error);
    await adopt({ kind, id, source, tags }, rds);
  }
}

/** The snapshot of our name, if there is one; `SnapshotFailed` if it is not this attempt's. */
async function adopt(
  ours: Pick<Handle, 'kind' | 'id' | 'source' | 'tags'>,
  rds: RDSClient,
): Promise<SnapshotFacts | undefined> {
  const found = await describeSnapshot(rds, ours.kind, ours.id);
  if (found !== undefined) refuseForeign(ours, found);
  return found;
}

/** Source, slot, fence and the digests of the predecessors are all in the tags; a look-alike is never adopted. */
function refuseForeign({ id, source, tags }: Pick<Handle, 'id' | 'source' | 'tags'>, found: SnapshotFacts): void {
  const names = new Set([...Object.keys(tags), ...Object.keys(found.tags).filter(isOurTag)]);
  const other = [...names].filter((name) => found.tags[name] !== tags[name]);
  if (found.source === source && other.length === 0) return;
  const what = found.source === source ? `with other tags (${other.join(', ')})` : `of ${found.source}`;
  throw new SnapshotFailed(
    `there is a snapshot ${id} already, ${what}: it is not this attempt's`,
    'See who makes snapshots under names of ours; run the backup again, which takes another name.',
  );
}

/** What follows the start: the handle says all that it needs to know. */
export function rdsEnds(reach: Pick<RdsReach, 'rds' | 'vault' | 'clock'>): CaptureEnd {
  const handleOf = (handle: string) => Handle.parse(JSON.parse(handle));
  return {
    poll: async (handle) => poll(handleOf(handle), reach),
    finish: async (handle) => finish(handleOf(handle), reach),
    attest: async (predecessor) => attest(predecessor, reach),
  };
}

async function poll(handle: Handle, { rds, vault, clock }: Pick<RdsReach, 'rds' | 'vault' | 'clock'>): Promise<Polled> {
  const found = await ofThisAttempt(handle, rds);
  const now = clock.now();
  const elapsed = (now.getTime() - Date.parse(handle.startedAt)) / 1000;
  const ended = isAvailable(handle.id, found.status);
  if (!ended) refuseStuck(handle.id, elapsed);
  const still = ended ? 0 : await see(vault, handle, found.percent, now);
  const warning = `snapshot ${handle.id} is at ${found.percent} %, and no further for ${Math.floor(still / 60)} minutes`;
  return {
    ended,
    progress: { bytes: 0, message: `${found.percent} %` },
    lookAgainSeconds: pauseSeconds(elapsed),
    ...(still >= STILL_SECONDS && { warning }),
  };
}

async function finish(handle: Handle, { rds, vault, clock }: Pick<RdsReach, 'rds' | 'vault' | 'clock'>) {
  const found = await ofThisAttempt(handle, rds);
  if (!isAvailable(handle.id, found.status)) {
    throw new SnapshotFailed(`snapshot ${handle.id} is not available any more`, 'Run the backup again.');
  }
  const { engine, engineVersion } = found;
  const still = await longestPause(vault, handle, clock.now());
  return Captured.parse({
    startedAt: handle.startedAt,
    endedAt: clock.now().toISOString(),
    artifacts: [await storeReference(vault, handle.key, referenceOf(handle, found))],
    versions: { engine: `${engine} ${engineVersion}` },
    notes: still < STILL_SECONDS ? {} : { 'snapshot.stoodStill': `${Math.floor(still / 60)} minutes` },
  });
}

async function ofThisAttempt(handle: Handle, rds: RDSClient): Promise<SnapshotFacts> {
  const found = await describeSnapshot(rds, handle.kind, handle.id);
  if (found === undefined) {
    throw new SnapshotFailed(
      `snapshot ${handle.id} was deleted while the run went on`,
      'Find out who deleted it (CloudTrail: DeleteDBSnapshot); the next run makes a new one.',
    );
  }
  refuseForeign(handle, found);
  return found;
}

function referenceOf(handle: Handle, found: SnapshotFacts): SnapshotReference {
  const { startedAt, key: _, ...rest } = handle;
  return SnapshotReference.parse({
    format: 'ledgerhold/rds-snapshot/1',
    ...rest,
    ...{ arn: found.arn, engine: found.engine, engineVersion: found.engineVersion },
    createdAt: found.createdAt?.toISOString() ?? startedAt,
    allocatedGibibytes: found.allocatedGibibytes,
    kmsKey: found.kmsKey ?? null,
  });
}

/** The same bytes whenever it is written, so that a repeated step finds its own. */
async function storeReference(vault: Vault, key: string, reference: SnapshotReference): Promise<Artifact> {
  const bytes = canonicalBytes(reference);
  const digest = sha256(bytes);
  const size = bytes.length;
  if (!(await vault.putOnce(key, bytes))) await readSnapshotReference(vault, { key, sha256: digest });
  return { key, size, sha256: digest, content: SNAPSHOT_CONTENT, encodings: [], plain: { size, sha256: digest } };
}

async function attest(predecessor: EndReceipt, { rds, vault }: Pick<RdsReach, 'rds' | 'vault'>): Promise<void> {
  for (const artifact of predecessor.artifacts) {
    if (artifact.content !== SNAPSHOT_CONTENT) continue;
    const { kind, id, arn, source, tags, ...about } = await readSnapshotReference(vault, artifact);
    const fields = ['network', 'node', 'slot', 'fence', 'component'] as const;
    const foreign = fields.some((field) => about[field] !== predecessor[field]);
    if (foreign) throw notEnded(predecessor, `${artifact.key} is about another capture`);
    const found = await describeSnapshot(rds, kind, id);
    if (found === undefined || found.arn !== arn) throw notEnded(predecessor, `its snapshot ${id} is gone`);
    if (found.status !== 'available') throw notEnded(predecessor, `its snapshot ${id} is ${found.status}`);
    refuseForeign({ id, source, tags }, found);
  }
}

const notEnded = ({ component }: EndReceipt, why: string): PredecessorNotEnded =>
  new PredecessorNotEnded(
    `${component} has ended by its receipt, but ${why}`,
    'Find out who deletes snapshots or writes to the vault; then run the whole backup again.',
  );
