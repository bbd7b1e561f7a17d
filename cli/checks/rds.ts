import { type SnapshotSource, snapshotSources } from '../snapshot-sources.ts';
import { type Check, type Finding, findingsOf, ok, warn } from './check.ts';

/** What a check is told of a source that a snapshot can be taken of now. */
export interface SourceFound {
  readonly engine: string;
  readonly engineVersion: string;
  readonly status: string;
  readonly encrypted: boolean;
}

/** Rejects with why no snapshot of it can be taken, or be of use. `copied`: to another account. */
export type LookAt = (source: Omit<SnapshotSource, 'component'>, copied: boolean) => Promise<SourceFound>;

/** Every database in RDS is there, of the kind that the config says, no replica, ready, and under a key that will do. */
export const rdsCheckWith = (open: () => Promise<LookAt>): Check => ({
  id: 'rds',
  title: 'databases in RDS',
  run: async ({ loaded, nodes }) => {
    const sources = nodes.flatMap(({ node }) => snapshotSources(node));
    if (sources.length === 0) return [];
    const copied = loaded.config.secondVault !== undefined;
    const lookAt = await open();
    const findings: Finding[] = [];
    // One after the other: RDS throttles an account as a whole, and its other users with it.
    for (const source of sources) {
      findings.push(...(await findingsOf(async () => findingsAbout(source, await lookAt(source, copied)))));
    }
    return findings;
  },
});

/** Loaded when it is needed: most configs have no database in RDS. */
export const rdsCheck = rdsCheckWith(async () => (await import('../../aws/open-rds.ts')).openSourceLook());

function findingsAbout({ component, kind, id }: SnapshotSource, found: SourceFound): Finding[] {
  const about = `${component}: ${kind} ${id}, ${found.engine} ${found.engineVersion}, ${found.status}`;
  if (found.encrypted) return [ok(about)];
  const remedy = 'Copy a snapshot of it with a KMS key of yours, and restore the database from that copy.';
  return [ok(about), warn(`${component}: ${id} is not encrypted, and so are its snapshots`, remedy)];
}
