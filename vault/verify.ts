import type { ChainRecord } from '../core/chain.ts';
import type { Unit } from '../core/delivery-proof.ts';
import { type NetworkName, Seq, setId } from '../core/names.ts';
import type { Comparison } from '../core/positions.ts';
import { type Finding, statusOf } from '../core/proof.ts';
import type { Seal, Trail } from '../core/seen.ts';
import { isSnapshot } from '../core/snapshots.ts';
import type { Vault } from '../core/vault.ts';
import type { Protocol } from '../protocols/protocol.ts';
import { readVaultFormat } from './format.ts';
import { FORMAT_KEY } from './layout.ts';
import { proveBytes } from './prove-bytes.ts';
import { type Link, orFinding, proveChain } from './prove-chain.ts';
import { type MemberReport, proveMembers, reachOfMembers } from './prove-deliveries.ts';
import { type HistoryReport, proveHistory } from './prove-history.ts';
import { proveReference } from './prove-reference.ts';
import { proveDrills, proveKeys, proveLeases } from './prove-rest.ts';
import { proveSet, type SetProof } from './prove-set.ts';
import { proveSize, sizesUnder } from './prove-size.ts';
import { nodesIn, type StoredManifest } from './sets.ts';
import { trustFrom } from './trust.ts';
import { tellForeign } from './uncited.ts';

export type Status = 'proven' | 'violated' | 'unknown';

export interface VerifyOptions {
  readonly vault: Vault;
  /** PEM, from outside the vault. Without one no signature can be proved, and the answer is at best `unknown`. */
  readonly publicKeys: readonly string[];
  readonly protocolNamed: (name: string) => Protocol;
  /** Ids of the sets to prove; all if absent. Their chains are proved whole either way. */
  readonly sets?: readonly string[];
  /** Sets and nothing else: neither histories of chains nor what members were given. */
  readonly setsAlone?: boolean;
  /** Only the newest set of each node, and of chains beside sets the newest files; a vault without sets is read whole. */
  readonly newest?: boolean;
  /** `structure` leaves the artifacts' bytes unread. */
  readonly depth: 'structure' | 'bytes';
  /** False: files of chains are not looked for, as at a member that takes none. */
  readonly chainFiles?: boolean;
  /** Reads one artifact whole again and compares what it says with what was attested; its bytes are proved on the way. */
  readonly deep?: (proof: SetProof, manifest: StoredManifest) => Promise<{ findings: Finding[]; bytes: number }>;
  /** Reads the blocks of a chain's files again, and says what is wrong with them. */
  readonly deepChain?: (records: readonly ChainRecord[]) => Promise<Finding[]>;
  /** Digest of a manifest that must be in one of the chains: finds a tail that was removed. */
  readonly expectHead?: string;
  readonly onBytes?: (count: number, about: string) => void;
  readonly signal?: AbortSignal;
}

export interface SetReport {
  readonly set: string;
  readonly slot: string | undefined;
  readonly sealedAt: string | undefined;
  readonly status: Status;
  /** Retention removed its artifacts and signed for it; its documents are proved all the same. */
  readonly expired: boolean;
  readonly comparisons: readonly Comparison[];
  readonly findings: readonly Finding[];
  /** Artifact bytes read. */
  readonly bytes: number;
}

export interface VerifyReport {
  readonly status: Status;
  /** Undefined if the vault does not say it. */
  readonly network: NetworkName | undefined;
  /** Every manifest that could be read, of each chain of manifests that was looked at. */
  readonly trails: readonly Trail[];
  readonly heads: readonly { readonly node: string; readonly seq: number; readonly sha256: string }[];
  readonly sets: readonly SetReport[];
  /** Histories of chains, each proved whole; none where single sets were asked for. */
  readonly chains: readonly HistoryReport[];
  /** Receipts and proofs of members, each proved whole; none where chains are not. */
  readonly members: readonly MemberReport[];
  /** About chains and the vault as a whole. */
  readonly findings: readonly Finding[];
}

/** Re-proves sets from what lies in the vault and keys from outside, and from nothing else. */
export async function verify(options: VerifyOptions): Promise<VerifyReport> {
  const { vault } = options;
  const findings: Finding[] = [];
  const whole = options.sets === undefined && options.setsAlone !== true;
  const reach = whole ? await reachOfMembers(vault) : [];
  const format = await orFinding(findings, FORMAT_KEY, () => readVaultFormat(vault));
  const trust = await trustFrom(vault, options.publicKeys);
  const trails: Trail[] = [];
  const sets: SetReport[] = [];
  const signers = new Set<string>();
  const sealed = new Set<string>();
  for (const node of await nodesIn(vault)) {
    const chain = await proveChain(vault, node, format?.network, trust);
    const sizes = await sizesUnder(vault, `sets/${node}/runs/`);
    findings.push(...chain.findings);
    const seals: Seal[] = [];
    for (const link of chain.links) {
      if (link.manifest) seals.push({ seq: Seq.parse(link.seq), sha256: link.manifest.sha256 });
      if (link.manifest) signers.add(link.manifest.value.signer);
      if (link.manifest) sealed.add(`${node}/${link.manifest.value.slot}`);
      const meant = options.newest === true ? link === chain.links.at(-1) : true;
      const wanted = meant && (options.sets === undefined || options.sets.includes(setId(node, link.seq)));
      if (wanted) sets.push(await reportOn(setId(node, link.seq), link, sizes, options));
      else findings.push(...link.findings);
    }
    if (seals.length > 0) trails.push({ kind: 'sets', node, seals });
  }
  const chains: HistoryReport[] = [];
  const units: Unit[] = [];
  for (const node of whole ? await nodesIn(vault, 'chain') : []) {
    const {
      report,
      manifests,
      units: brought,
      signers: own,
    } = await proveHistory(node, {
      ...{ ...options, network: format?.network, trust },
      newest: options.newest === true && sets.length > 0,
    });
    // Of a chain whose first run was broken off, or has not arrived yet, there is nothing that could be proved.
    if (manifests.length > 0 || report.status !== 'proven') chains.push(report);
    const seals: Seal[] = [];
    for (const { seq, sha256, slot } of manifests) {
      seals.push({ seq, sha256 });
      sealed.add(`${node}/${slot}`);
    }
    for (const signer of own) signers.add(signer);
    for (const unit of brought) units.push(unit);
    if (seals.length > 0) trails.push({ kind: 'chain', node, seals });
  }
  const { members, signers: ofMembers } = await proveMembers(
    { ...options, network: format?.network, trust },
    reach,
    units,
  );
  for (const signer of ofMembers) signers.add(signer);
  findings.push(
    ...(await proveKeys(vault, trust, signers)),
    ...(await proveLeases(vault, sealed)),
    ...(await proveDrills(vault, trust)),
    ...(await tellForeign(vault)),
  );
  if (format === undefined && trails.length > 0 && !findings.some(({ about }) => about === FORMAT_KEY)) {
    findings.push({ level: 'violation', code: 'FORMAT_MISSING', about: FORMAT_KEY, text: `${FORMAT_KEY} is missing` });
  }
  if (sets.length + chains.length === 0) {
    const text = 'there is no set here to prove';
    findings.push({ level: 'unknown', code: 'NOTHING_TO_PROVE', about: vault.url, text });
  }
  const known = trails.flatMap(({ seals }) => seals.map(({ sha256 }): string => sha256));
  if (options.expectHead !== undefined && !known.includes(options.expectHead)) {
    const text = `no manifest in this vault has the digest ${options.expectHead}: the end of a chain was removed or replaced`;
    findings.push({ level: 'violation', code: 'HEAD_MISSING', about: 'sets/', text });
  }
  const status = statusOf(everything({ findings, sets, chains, members }));
  return { status, network: format?.network, trails, heads: headsOf(trails), sets, chains, members, findings };
}

/** The same report with what else was found about the vault as a whole. */
export function withFindings(report: VerifyReport, more: readonly Finding[]): VerifyReport {
  const all = { ...report, findings: [...report.findings, ...more] };
  return { ...all, status: statusOf(everything(all)) };
}

const everything = ({
  findings,
  sets,
  chains,
  members,
}: Pick<VerifyReport, 'findings' | 'sets' | 'chains' | 'members'>): Finding[] => [
  ...findings,
  ...[...sets, ...chains, ...members].flatMap((each) => each.findings),
];

const headsOf = (trails: readonly Trail[]): VerifyReport['heads'] =>
  trails.flatMap(({ node, seals }) => seals.slice(-1).map(({ seq, sha256 }) => ({ node, seq, sha256 })));

async function reportOn(
  set: string,
  link: Link,
  sizes: ReadonlyMap<string, number>,
  options: VerifyOptions,
): Promise<SetReport> {
  options.signal?.throwIfAborted();
  const { manifest } = link;
  const brief = { set, slot: manifest?.value.slot, sealedAt: manifest?.value.sealedAt };
  if (manifest === undefined) {
    const { findings } = link;
    return { ...brief, status: statusOf(findings), expired: false, comparisons: [], findings, bytes: 0 };
  }
  const proof = await proveSet(options.vault, manifest, options.protocolNamed);
  const expired = link.tombstone !== undefined;
  const findings = [...link.findings, ...proof.findings];
  let bytes = 0;
  if (expired) {
    findings.push({
      level: 'note',
      code: 'EXPIRED',
      about: set,
      text: `${set} expired: ${link.tombstone.value.reasons.join('; ')}`,
    });
  } else {
    const missing = proof.artifacts.flatMap(({ artifact }) => proveSize(artifact, sizes));
    findings.push(...missing);
    const read = missing.length > 0 ? undefined : await readArtifacts(proof, manifest, options);
    findings.push(...(read?.findings ?? []));
    bytes = read?.bytes ?? 0;
  }
  return { ...brief, status: statusOf(findings), expired, comparisons: proof.comparisons, findings, bytes };
}

async function readArtifacts(
  proof: SetProof,
  manifest: StoredManifest,
  options: VerifyOptions,
): Promise<{ findings: readonly Finding[]; bytes: number }> {
  if (options.depth === 'structure') return { findings: [], bytes: 0 };
  if (options.deep !== undefined) return options.deep(proof, manifest);
  const findings: Finding[] = [];
  let bytes = 0;
  for (const { component, artifact } of proof.artifacts) {
    bytes += artifact.size;
    findings.push(...(await proveBytes(artifact, options)));
    if (isSnapshot(artifact)) {
      findings.push(...(await proveReference(options.vault, artifact, { ...manifest.value, component })));
    }
  }
  return { findings, bytes };
}
