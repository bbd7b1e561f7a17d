import { snapshotId } from '../core/deployed-names.ts';
import { type Finding, statusOf, violation } from '../core/proof.ts';
import type { EndReceipt } from '../core/receipts.ts';
import { SNAPSHOT_CONTENT } from '../core/snapshots.ts';
import type { Vault } from '../core/vault.ts';
import { sha256 } from '../io/digest.ts';
import type { Protocol } from '../protocols/protocol.ts';
import { manifestKey, manifestsPrefix, runPrefix } from './layout.ts';
import { newestNumber } from './numbered.ts';
import { orFinding, type ProofContext, proveLink } from './prove-chain.ts';
import { proveSet, type SetProof } from './prove-set.ts';
import { proveSize, sizesUnder } from './prove-size.ts';
import { readManifest, type StoredManifest } from './sets.ts';
import type { Trust } from './trust.ts';

/** One set, proved by its documents, its place behind the one before it, and by whether what it cites is still there. */
export interface StandingSet {
  readonly seq: number;
  /** Undefined if its manifest cannot be read. */
  readonly sealedAt: Date | undefined;
  readonly findings: readonly Finding[];
  /** Retention has removed its artifacts. */
  readonly expired: boolean;
  /** By component. */
  readonly receipts: ReadonlyMap<string, EndReceipt>;
}

export interface StandingOptions {
  readonly network: string;
  readonly trust: Trust;
  readonly protocolNamed: (name: string) => Protocol;
  /** Whether a snapshot of this name is there and whole now. */
  readonly snapshotThere: (id: string) => Promise<boolean>;
  /** Where the newest manifest was seen before. */
  readonly near?: number;
}

/** Behind so many sets without proof an older one would be too old in any case. */
const LOOK_BACK = 5;

/** A node's newest set, and the newest that is proven: read in a bounded number of calls, however long the chain. */
export async function standingSets(
  vault: Vault,
  node: string,
  options: StandingOptions,
): Promise<{ readonly newest: StandingSet | undefined; readonly proven: StandingSet | undefined }> {
  const chain = { prefix: manifestsPrefix(node), keyOf: (n: number) => manifestKey(node, n) };
  const head = await newestNumber(vault, chain, options.near);
  let newest: StandingSet | undefined;
  for (let seq = head; seq > Math.max(0, head - LOOK_BACK); seq -= 1) {
    const set = await standingSet(vault, node, seq, options);
    newest ??= set;
    if (!set.expired && statusOf(set.findings) === 'proven') return { newest, proven: set };
  }
  return { newest, proven: undefined };
}

async function standingSet(vault: Vault, node: string, seq: number, options: StandingOptions): Promise<StandingSet> {
  const { network, trust, protocolNamed } = options;
  const context: ProofContext = { vault, node, network, trust, slots: new Map() };
  const findings: Finding[] = [];
  const key = manifestKey(node, seq - 1);
  const before = seq === 1 ? undefined : await orFinding(findings, key, () => readManifest(vault, node, seq - 1));
  if (seq > 1 && before === undefined && findings.length === 0) {
    findings.push(violation('MANIFEST_MISSING', key, `${key} is missing from its chain`));
  }
  const { manifest, tombstone, findings: ofLink } = await proveLink(context, seq, before);
  findings.push(...ofLink);
  const expired = tombstone !== undefined;
  if (manifest === undefined) return { seq, sealedAt: undefined, findings, expired, receipts: new Map() };
  const proof = await proveSet(vault, manifest, protocolNamed);
  findings.push(...proof.findings, ...(expired ? [] : await whatIsGone(vault, manifest, proof, options)));
  const ended = [...proof.receipts].flatMap(([component, { end }]) => (end ? [[component, end.value] as const] : []));
  return { seq, sealedAt: new Date(manifest.value.sealedAt), findings, expired, receipts: new Map(ended) };
}

/** Artifacts that are missing or cut, and snapshots that a reference speaks of and RDS does not know as whole. */
async function whatIsGone(
  vault: Vault,
  { value }: StoredManifest,
  { artifacts }: SetProof,
  { snapshotThere }: StandingOptions,
): Promise<Finding[]> {
  const sizes = await sizesUnder(vault, runPrefix(value.node, value.slot, value.fence));
  const found = artifacts.flatMap(({ artifact }) => proveSize(artifact, sizes));
  for (const { artifact, component } of artifacts) {
    if (artifact.content !== SNAPSHOT_CONTENT) continue;
    const { network, node, slot, fence } = value;
    const parsed = value.components.find((each) => each.component === component);
    if (parsed === undefined) continue;
    const id = snapshotId({ network, node, slot, fence, component: parsed.component }, sha256);
    if (await snapshotThere(id)) continue;
    found.push(violation('SNAPSHOT_MISSING', id, `the snapshot ${id} of ${component} is not there, or not available`));
  }
  return found;
}
