import type { RDSClient } from '@aws-sdk/client-rds';
import { rdsEnds, rdsSource } from '../../aws/rds-captures.ts';
import { snapshotCopies } from '../../aws/rds-restores.ts';
import type { RdsSource } from '../../aws/rds-source.ts';
import { Fence, NetworkName, NodeName, Sha256, Slot } from '../../core/names.ts';
import type { CaptureOrder } from '../../core/ports.ts';
import { type CopyStep, type FoundCopy, nextStep, type RdsTarget, restoreTags } from '../../core/rds-restore.ts';
import type { Vault } from '../../core/vault.ts';
import { readSnapshotReference } from '../../vault/snapshot-reference.ts';

/** An account's RDS, and how to let time go by in it. */
export interface RdsPlace {
  readonly client: RDSClient;
  readonly vault: Vault;
  readonly now: () => Date;
  readonly pass: () => Promise<void> | void;
}

/** Of a node that is called like its database. */
const orderFor = (source: string): CaptureOrder => ({
  ...{ network: NetworkName.parse('acme'), node: NodeName.parse(source), protocol: 'splice' },
  ...{ slot: Slot.parse('2026-11-01T00:00:00Z'), fence: Fence.parse(1), role: 'participant' },
  component: 'participant' as CaptureOrder['component'],
  prefix: 'sets/any/runs/2026-11-01T00:00:00Z/1/',
  predecessors: [{ component: 'app' as CaptureOrder['component'], end: Sha256.parse('a'.repeat(64)) }],
});

/** The set that the copies are said to be of. */
export const MANIFEST = { manifest: 'b'.repeat(64) };

/** A snapshot of the source, captured as a run does, as a restore's target under the name `beside`. */
export async function capturedTarget(source: RdsSource, beside: string, place: RdsPlace): Promise<RdsTarget> {
  const { client: rds, vault, now, pass } = place;
  const reach = { rds, vault, clock: { now } };
  const handle = await rdsSource(source, reach).start?.(orderFor(source.id));
  if (handle === undefined) throw new Error('a snapshot has a start');
  const ends = rdsEnds(reach);
  while (!(await ends.poll(handle, 0)).ended) await pass();
  const [artifact] = (await ends.finish(handle)).artifacts;
  if (artifact === undefined) throw new Error('a snapshot leaves its reference');
  return { kind: 'rds', snapshot: await readSnapshotReference(vault, artifact), beside };
}

/** All that a restore does until there is nothing left to do, or a person must look. */
export async function restored(target: RdsTarget, { client, pass }: Omit<RdsPlace, 'vault' | 'now'>) {
  const copies = snapshotCopies(client);
  const tags = restoreTags(MANIFEST, target);
  const steps: CopyStep['next'][] = [];
  for (let looks = 0; looks < 20; looks += 1) {
    const found: FoundCopy | undefined = await copies.find(target);
    const step = nextStep(target, tags, found);
    if (steps.at(-1) !== step.next) steps.push(step.next);
    if (step.next === 'restore') await copies.restore(target, tags);
    else if (step.next === 'add-instance') await copies.addInstance(target, tags);
    else if (step.next === 'wait') await pass();
    else return { steps, step, found };
  }
  throw new Error(`no end after ${steps.join(', ')}`);
}
