import {
  DeleteDBClusterSnapshotCommand,
  DeleteDBSnapshotCommand,
  paginateDescribeDBClusterSnapshots,
  paginateDescribeDBSnapshots,
  type RDSClient,
  type Tag,
} from '@aws-sdk/client-rds';
import { snapshotPrefix } from '../core/deployed-names.ts';
import {
  type OwnSnapshot,
  type SnapshotJanitor,
  type SnapshotRemoval,
  SnapshotsUnavailable,
} from '../core/snapshot-janitor.ts';
import { type SnapshotKind, TAG } from '../core/snapshots.ts';

/** `Fault` at the end of a name is the SDK's; bundles, which leave its classes out, have the service's own code. */
const GONE = ['DBSnapshotNotFound', 'DBClusterSnapshotNotFound'];
/** It is being made, copied, restored or shared: a later run finds it at rest. */
const BUSY = ['InvalidDBSnapshotState', 'InvalidDBClusterSnapshotState'];

/** The snapshots of one network in this account and Region: by name and by tags, never by one of them alone. */
export function snapshotJanitor(client: RDSClient, network: string): SnapshotJanitor {
  return {
    list: async (node) => {
      const found: OwnSnapshot[] = [];
      for await (const each of manual(client)) {
        const own = ownSnapshot(each, network, node);
        if (own !== undefined) found.push(own);
      }
      return found;
    },
    remove: (snapshot) => remove(client, network, snapshot),
  };
}

interface Found {
  readonly kind: SnapshotKind;
  readonly id: string | undefined;
  readonly status: string | undefined;
  readonly tags: readonly Tag[];
}

/** A call for every 100 manual snapshots of the account, whosever they are: RDS filters by no tag and no prefix. */
async function* manual(client: RDSClient): AsyncGenerator<Found> {
  const wanted = { SnapshotType: 'manual', MaxRecords: 100 };
  try {
    for await (const { DBSnapshots = [] } of paginateDescribeDBSnapshots({ client }, wanted)) {
      for (const { DBSnapshotIdentifier: id, Status: status, TagList: tags = [] } of DBSnapshots)
        yield { kind: 'instance', id, status, tags };
    }
    for await (const { DBClusterSnapshots = [] } of paginateDescribeDBClusterSnapshots({ client }, wanted)) {
      for (const { DBClusterSnapshotIdentifier: id, Status: status, TagList: tags = [] } of DBClusterSnapshots)
        yield { kind: 'cluster', id, status, tags };
    }
  } catch (error) {
    throw unavailable('tell what snapshots there are', error);
  }
}

function ownSnapshot({ kind, id, status, tags }: Found, network: string, node: string): OwnSnapshot | undefined {
  const tagged = Object.fromEntries(tags.map(({ Key = '', Value = '' }) => [Key, Value]));
  const { [TAG.slot]: slot, [TAG.fence]: fence } = tagged;
  if (id?.startsWith(snapshotPrefix(network, node)) !== true || status === undefined) return undefined;
  if (tagged[TAG.network] !== network || tagged[TAG.node] !== node) return undefined;
  return slot === undefined || !/^\d+$/.test(fence ?? '')
    ? undefined
    : { kind, id, status, slot, fence: Number(fence) };
}

async function remove(client: RDSClient, network: string, { kind, id }: OwnSnapshot): Promise<SnapshotRemoval> {
  // The role is held to this, too; here it spares whoever hands over the wrong thing.
  if (!id.startsWith(snapshotPrefix(network))) {
    throw new SnapshotsUnavailable(`${id} is no snapshot of ${network}`, 'Report this: retention asks for it by name.');
  }
  const command =
    kind === 'instance'
      ? new DeleteDBSnapshotCommand({ DBSnapshotIdentifier: id })
      : new DeleteDBClusterSnapshotCommand({ DBClusterSnapshotIdentifier: id });
  try {
    await (command instanceof DeleteDBSnapshotCommand ? client.send(command) : client.send(command));
    return 'removed';
  } catch (error) {
    const code = codeOf(error);
    if (GONE.includes(code)) return 'gone';
    if (BUSY.includes(code)) return 'busy';
    throw unavailable(`delete the snapshot ${id}`, error);
  }
}

const codeOf = (error: unknown): string => (error instanceof Error ? error.name.replace(/Fault$/, '') : '');

function unavailable(what: string, cause: unknown): SnapshotsUnavailable {
  const why = codeOf(cause) || 'no answer';
  const remedy = /^(AccessDenied|Unauthorized)/.test(why)
    ? 'Deploy the stack again: the role of retention may do this, and nobody else.'
    : 'Wait for the next hour: retention goes on where it stopped.';
  return new SnapshotsUnavailable(`RDS did not ${what}: ${why}`, remedy, { cause });
}
