import {
  CopyDBClusterSnapshotCommand,
  CopyDBSnapshotCommand,
  ModifyDBClusterSnapshotAttributeCommand,
  ModifyDBSnapshotAttributeCommand,
  type RDSClient,
} from '@aws-sdk/client-rds';
import { type CopyOrder, type SnapshotCopier, SnapshotNotCopied, tagsAskedAt } from '../core/snapshot-copies.ts';
import { asTags, describeSnapshot } from './rds-describe.ts';
import { callRds, RdsRefused } from './rds-errors.ts';
import { snapshotQuotas } from './snapshot-quotas.ts';

export interface CopierReach {
  /** RDS in the first account and Region. */
  readonly here: RDSClient;
  /** RDS in the second ones, with credentials of the second account. */
  readonly there: RDSClient;
  /** The second account; undefined if it is the first: then nothing has to be shared. */
  readonly shareWith: string | undefined;
  /** ARN of the second vault's key, or of an alias of it. */
  readonly key: string;
}

/**
 * Copies snapshots into another account, another Region or both. RDS does that in one call, by the source's ARN and with
 * a key of the target's Region (User Guide, "Copying a DB snapshot", November 2026: "to another AWS Region or account in
 * a single step"); the client signs the URL that GovCloud asks for between two Regions.
 */
export function rdsCopier(reach: CopierReach): SnapshotCopier {
  const { here, there, shareWith } = reach;
  return {
    source: ({ kind, source }) => describeSnapshot(here, kind, source.id),
    copy: ({ kind, id }) => describeSnapshot(there, kind, id),
    share: async (order) => shareWith === undefined || shared(here, order, { ValuesToAdd: [shareWith] }),
    unshare: async (order) => shareWith === undefined || shared(here, order, { ValuesToRemove: [shareWith] }),
    begin: (order, now) => begin(order, now, reach),
    quotas: () => snapshotQuotas(there),
  };
}

type Change = { readonly ValuesToAdd: string[] } | { readonly ValuesToRemove: string[] };

async function shared(here: RDSClient, { kind, source }: CopyOrder, change: Change): Promise<boolean> {
  const AttributeName = 'restore';
  const outcome = await asked(source.id, () =>
    kind === 'cluster'
      ? here.send(
          new ModifyDBClusterSnapshotAttributeCommand({
            ...{ DBClusterSnapshotIdentifier: source.id, AttributeName, ...change },
          }),
        )
      : here.send(new ModifyDBSnapshotAttributeCommand({ DBSnapshotIdentifier: source.id, AttributeName, ...change })),
  );
  if (outcome === 'gone' && 'ValuesToAdd' in change) throw gone(source.id);
  return outcome !== 'busy';
}

async function begin(order: CopyOrder, now: Date, { there, key: KmsKeyId }: CopierReach): Promise<boolean> {
  const { kind, id, source } = order;
  const common = { KmsKeyId, Tags: asTags(tagsAskedAt(order, now)), CopyTags: false };
  const outcome = await asked(source.id, () =>
    kind === 'cluster'
      ? there.send(
          new CopyDBClusterSnapshotCommand({
            ...{ SourceDBClusterSnapshotIdentifier: source.arn, TargetDBClusterSnapshotIdentifier: id, ...common },
          }),
        )
      : there.send(
          new CopyDBSnapshotCommand({
            ...{ SourceDBSnapshotIdentifier: source.arn, TargetDBSnapshotIdentifier: id, ...common },
          }),
        ),
  );
  if (outcome === 'gone') throw gone(source.id);
  return outcome !== 'busy';
}

/** What a call came to; throws `SnapshotNotCopied` for what will be refused again. */
async function asked(source: string, call: () => Promise<unknown>): Promise<'done' | 'busy' | 'gone'> {
  try {
    await callRds(source, call);
    return 'done';
  } catch (error) {
    if (!(error instanceof RdsRefused)) throw error;
    const { code } = error;
    // Ours, of a call whose answer was lost, or somebody else's: the next look tells.
    if (/^DB(Cluster)?SnapshotAlreadyExists$/.test(code)) return 'done';
    if (/^InvalidDB(ClusterSnapshot|Snapshot|Cluster)State$/.test(code)) return 'busy';
    if (/^DB(Cluster)?SnapshotNotFound$/.test(code)) return 'gone';
    throw new SnapshotNotCopied(`snapshot ${source} is not copied: ${error.message}`, remedyOf(code), { cause: error });
  }
}

const gone = (id: string): SnapshotNotCopied =>
  new SnapshotNotCopied(
    `snapshot ${id} is not there to be copied: deleted, or not shared`,
    'Find out who deletes snapshots or changes whom they are shared with: CloudTrail names the call.',
  );

const KEYS =
  'Let the policy of the key that the database is encrypted with give the second account its use: docs/second-vault.md has the statement. A snapshot with the default key of RDS can never be shared.';
const DEPLOY = 'Deploy both stacks of this network again: Ledgerhold-<network>, and -Second in the second account.';

const remedyOf = (code: string): string =>
  REMEDIES[code] ?? (/^(AccessDenied|Unauthorized)/.test(code) ? DEPLOY : KEYS);

const REMEDIES: Readonly<Record<string, string>> = {
  SnapshotQuotaExceeded:
    'Delete copies in the second account that nobody needs, or ask Service Quotas there for more manual snapshots.',
  SharedSnapshotQuotaExceeded: 'See whom the snapshot is shared with: RDS shares one with 20 accounts at most.',
};
