import { everySecondsOf } from '../config/every.ts';
import type { Config } from '../config/schema.ts';
import { ChainRecord } from '../core/chain.ts';
import { takesFiles } from '../core/delivery.ts';
import type { Shipment } from '../core/member-calls.ts';
import { type MemberCost, memberCost } from '../core/member-cost.ts';
import type { Member } from '../core/members.ts';
import { type Prices, pricesFor } from '../core/prices.ts';
import type { Finding } from '../core/proof.ts';
import { grantsReads } from '../core/read-back.ts';
import type { Vault } from '../core/vault.ts';
import { readHead } from '../vault/chain.ts';
import { readDocument } from '../vault/documents.ts';
import { HISTORY } from '../vault/history.ts';
import { chainManifestsPrefix, chainPrefix, numberOf, recordsPrefix } from '../vault/layout.ts';
import { readMembers } from '../vault/members.ts';
import { orFinding } from '../vault/prove-chain.ts';
import { nodesIn } from '../vault/sets.ts';

/** A member's bucket on AWS, registered or yet to be. */
interface Bucket {
  readonly member: string;
  readonly region: string;
  readonly ownKey: boolean;
  readonly reads: boolean;
  readonly chains: readonly string[] | null;
  readonly chainFiles: boolean;
}

/** What goes to a member that takes chain files, and how many bytes of it are theirs. */
interface Sized extends Shipment {
  readonly fileBytes: number;
}

const NOTHING: Shipment = { manifests: 0, records: 0, files: 0, objects: 0, bytes: 0 };
const MONTH_SECONDS = 30 * 86_400;

/** Of each member with a bucket on AWS: what filling it costs, and a month. Reads names and sizes of the histories. */
export async function memberCosts(
  { config, region }: { readonly config: Config; readonly region: string },
  vault: Vault,
  overrides: Partial<Prices>,
): Promise<MemberCost[]> {
  const buckets = await bucketsOf(config, vault);
  if (buckets.length === 0) return [];
  const known = new Set([...(await nodesIn(vault, 'chain')), ...chainsOf(config).keys()]);
  const chains = new Map<string, Awaited<ReturnType<typeof chainSizes>>>();
  for (const node of known) chains.set(node, await chainSizes(vault, node));
  return buckets.map(({ member, region: place, ownKey, reads, chains: wanted, chainFiles }) => {
    const taken = chainFiles ? (sized: Sized): Shipment => sized : withoutFiles;
    const own = [...chains].filter(([node]) => wanted?.includes(node) ?? true);
    const runsOf = (node: string) => MONTH_SECONDS / (chainsOf(config).get(node) ?? Infinity);
    const runsAMonth = own.reduce((sum, [node]) => sum + runsOf(node), 0);
    // Chains have runs of their own sizes: one that stands for all of them.
    const run =
      runsAMonth === 0
        ? NOTHING
        : total(own.map(([node, { newest }]) => times(taken(newest), runsOf(node) / runsAMonth)));
    const shipments = { history: total(own.map(([, { history }]) => taken(history))), run, runsAMonth };
    const load = { member, ownKey, reads, elsewhere: place !== region, onAws: config.aws !== undefined, ...shipments };
    return memberCost(load, pricesFor(region, overrides).prices, pricesFor(place, overrides).prices);
  });
}

/** By name, how often a chain that is enabled is exported, in seconds. */
const chainsOf = ({ nodes }: Config): Map<string, number> =>
  new Map(
    nodes.flatMap((node) =>
      node.protocol === 'ethereum' && node.enabled ? [[String(node.name), everySecondsOf(node)] as const] : [],
    ),
  );

async function bucketsOf({ members: listed = [] }: Config, vault: Vault): Promise<Bucket[]> {
  const registered = (await readMembers(vault)).members.map(({ value }) => value);
  const ids = new Set(registered.map(({ member }) => String(member)));
  const yet = listed.flatMap((each): Bucket[] => {
    if (ids.has(each.id) || !('bucket' in each)) return [];
    return [{ member: each.id, region: each.region, ownKey: false, reads: false, chains: null, chainFiles: true }];
  });
  return [...registered.flatMap(bucketOf), ...yet];
}

function bucketOf(member: Member): Bucket[] {
  const { destination, state, chains } = member;
  if (state === 'left' || destination?.kind !== 'bucket' || destination.endpoint !== undefined) return [];
  const { region, kmsKey } = destination;
  const [ownKey, chainFiles] = [kmsKey !== undefined, takesFiles(member)];
  return [{ member: member.member, region, ownKey, reads: grantsReads(member), chains, chainFiles }];
}

/** All of a chain by its listing, and what its newest manifest brought. What is damaged tells no size. */
async function chainSizes(vault: Vault, node: string): Promise<{ history: Sized; newest: Sized }> {
  const history = { ...NOTHING, fileBytes: 0 };
  const own = (key: string, prefix: string) => key.startsWith(prefix) && !key.slice(prefix.length).includes('/');
  for await (const { key, size } of vault.list(chainPrefix(node))) {
    history.objects += 1;
    history.bytes += size;
    if (own(key, recordsPrefix(node))) history.records += 1;
    if (own(key, chainPrefix(node))) {
      history.files += 1;
      history.fileBytes += size;
    }
    if (own(key, chainManifestsPrefix(node)) && numberOf(key) !== undefined) history.manifests += 1;
  }
  const damaged: Finding[] = [];
  const head = await orFinding(damaged, node, () => readHead(vault, HISTORY, node));
  const sizes = await Promise.all(
    (head?.value.records ?? []).map(async ({ key }) => {
      const record = await orFinding(damaged, key, () => readDocument(vault, key, ChainRecord));
      return { file: record?.value.file.size ?? 0, own: record?.bytes.length ?? 0 };
    }),
  );
  if (head === undefined) return { history, newest: { ...NOTHING, fileBytes: 0 } };
  const files = head.value.records.length;
  const fileBytes = sizes.reduce((sum, { file }) => sum + file, 0);
  const bytes = sizes.reduce((sum, { own }) => sum + own, head.bytes.length + fileBytes);
  // With each file its record; the agreement, the manifest and its signature.
  return { history, newest: { manifests: 1, records: files, files, objects: 2 * files + 3, bytes, fileBytes } };
}

const withoutFiles = ({ manifests, records, files, objects, bytes, fileBytes }: Sized): Shipment => ({
  ...{ manifests, records, files: 0, objects: objects - files, bytes: bytes - fileBytes },
});

const times = ({ manifests, records, files, objects, bytes }: Shipment, by: number): Shipment => ({
  ...{ manifests: manifests * by, records: records * by },
  ...{ files: files * by, objects: objects * by, bytes: bytes * by },
});

const total = (all: readonly Shipment[]): Shipment =>
  all.reduce(
    (sum, { manifests, records, files, objects, bytes }) => ({
      ...{ manifests: sum.manifests + manifests, records: sum.records + records },
      ...{ files: sum.files + files, objects: sum.objects + objects, bytes: sum.bytes + bytes },
    }),
    NOTHING,
  );
