import { canonicalBytes } from '../core/canonical.ts';
import { LedgerholdError } from '../core/errors.ts';
import type { Manifest } from '../core/manifest.ts';
import { type Attested, type Comparison, judge, type Verdict } from '../core/positions.ts';
import { type Finding, proveOrder, type ReceiptPair, violation } from '../core/proof.ts';
import type { Artifact } from '../core/receipts.ts';
import type { Vault } from '../core/vault.ts';
import { type WavePlan, waves } from '../core/waves.ts';
import type { Protocol } from '../protocols/protocol.ts';
import { receiptKey, runPrefix } from './layout.ts';
import { orFinding } from './prove-chain.ts';
import { proveFollowing } from './prove-following.ts';
import { attested, readReceipts, type StoredManifest } from './sets.ts';

type Receipts = ReadonlyMap<string, ReceiptPair>;

export interface SetProof {
  /** Undefined if this version does not know it. */
  readonly protocol: Protocol | undefined;
  readonly findings: readonly Finding[];
  readonly comparisons: readonly Comparison[];
  /** Every artifact the set cites, as its receipts describe them. */
  readonly artifacts: readonly { readonly component: string; readonly role: string; readonly artifact: Artifact }[];
  readonly receipts: Receipts;
}

/**
 * Re-proves one set from its documents: receipts byte for byte those that the manifest cites, the order by the
 * *protocol's* rule (not by what the manifest says of it), positions judged again. Reads no artifact.
 */
export async function proveSet(
  vault: Vault,
  { value: manifest, key }: StoredManifest,
  protocolNamed: (name: string) => Protocol,
): Promise<SetProof> {
  const findings: Finding[] = [];
  const receipts = await citedReceipts(vault, manifest, findings);
  const artifacts = citedArtifacts(manifest, receipts, findings);
  const protocol = knownProtocol(manifest, key, protocolNamed, findings);
  if (protocol === undefined) return { protocol, findings, comparisons: [], artifacts, receipts };
  const planned = declaredOrder(manifest, key, protocol, findings);
  if (planned !== undefined) findings.push(...proveOrder(manifest, planned.predecessors, receipts));
  const readings = manifest.components.map((part) => attested(part, receipts.get(part.component)?.end?.value));
  findings.push(...readings.filter(({ inSnapshot }) => inSnapshot).map(inSnapshotNote));
  findings.push(...(await proveFollowing(vault, receipts)));
  const { laws, sameIdentity } = protocol;
  const verdict = judge({ laws, sameIdentity, readings, order: planned?.order ?? [] });
  if (verdict.status === 'violated') {
    findings.push(...verdict.violations.map((text) => violation('POSITIONS_VIOLATED', key, text)));
  } else if (verdict.status === 'unknown') {
    findings.push(
      ...verdict.reasons.map((text): Finding => ({ level: 'unknown', code: 'POSITIONS_UNKNOWN', about: key, text })),
    );
  }
  if (Buffer.compare(substance(verdict), substance(manifest.verdict)) !== 0) {
    findings.push(violation('VERDICT_WRONG', key, `${key} states another verdict than its receipts give`));
  }
  return { protocol, findings, comparisons: verdict.comparisons, artifacts, receipts };
}

const inSnapshotNote = ({ component }: Attested): Finding => ({
  level: 'note',
  code: 'POSITIONS_IN_SNAPSHOT',
  about: component,
  text: `${component} lies in a snapshot: its order is proved, and what it says of itself shows when it is restored`,
});

/** Words may differ from version to version; what was compared and what came of it may not. */
const substance = ({ status, comparisons }: Verdict): Uint8Array => canonicalBytes({ status, comparisons });

async function citedReceipts(vault: Vault, manifest: Manifest, findings: Finding[]): Promise<Receipts> {
  const pairs = new Map<string, ReceiptPair>();
  for (const { component, start, end } of manifest.components) {
    for (const [half, cited] of [
      ['start', start],
      ['end', end],
    ] as const) {
      if (cited.key !== receiptKey(manifest, component, half)) {
        findings.push(violation('RECEIPT_FOREIGN', cited.key, `${cited.key} is no ${half} receipt of this attempt`));
      }
    }
    const read = await orFinding(findings, start.key, () => readReceipts(vault, { start: start.key, end: end.key }));
    for (const [cited, found] of [
      [start, read?.start],
      [end, read?.end],
    ] as const) {
      if (read === undefined || found?.sha256 === cited.sha256) continue;
      const text = found === undefined ? `${cited.key} is missing` : `${cited.key} is not the receipt that was sealed`;
      findings.push(violation(found === undefined ? 'RECEIPT_MISSING' : 'RECEIPT_CHANGED', cited.key, text));
    }
    pairs.set(component, { start: read?.start, end: read?.end });
  }
  return pairs;
}

function citedArtifacts(manifest: Manifest, receipts: Receipts, findings: Finding[]): SetProof['artifacts'] {
  const prefix = runPrefix(manifest.node, manifest.slot, manifest.fence);
  return manifest.components.flatMap(({ component, role, artifacts }) => {
    const stored = receipts.get(component)?.end?.value.artifacts ?? [];
    const brief = stored.map(({ key, size, sha256 }) => ({ key, size, sha256 }));
    if (stored.length > 0 && Buffer.compare(canonicalBytes(brief), canonicalBytes(artifacts)) !== 0) {
      findings.push(
        violation('ARTIFACTS_DIFFER', component, `manifest and receipt of ${component} cite different artifacts`),
      );
    }
    for (const { key } of artifacts) {
      if (!key.startsWith(prefix))
        findings.push(violation('ARTIFACT_FOREIGN', key, `${key} belongs to another attempt`));
    }
    return stored.map((artifact) => ({ component, role, artifact }));
  });
}

function knownProtocol(
  { protocol }: Manifest,
  key: string,
  protocolNamed: (name: string) => Protocol,
  findings: Finding[],
): Protocol | undefined {
  try {
    return protocolNamed(protocol);
  } catch (error) {
    if (!(error instanceof LedgerholdError)) throw error;
    findings.push({ level: 'unknown', code: 'PROTOCOL_UNKNOWN', about: key, text: error.message });
    return undefined;
  }
}

/** The manifest's own words about waves and order must be what the protocol makes of its components. */
function declaredOrder(manifest: Manifest, key: string, protocol: Protocol, findings: Finding[]): WavePlan | undefined {
  for (const [role, { required }] of Object.entries(protocol.roles)) {
    if (required && !manifest.components.some((each) => each.role === role)) {
      findings.push(
        violation('COMPONENT_MISSING', key, `${key} holds no ${role}, which ${protocol.title} cannot do without`),
      );
    }
  }
  try {
    const planned: WavePlan = waves(manifest.components, protocol);
    const ours = canonicalBytes({ waves: planned.waves, order: planned.order });
    if (Buffer.compare(ours, canonicalBytes({ waves: manifest.waves, order: manifest.order })) !== 0) {
      findings.push(
        violation('ORDER_VIOLATED', key, `${key} was taken in another order than ${protocol.title} demands`),
      );
    }
    return planned;
  } catch (error) {
    if (!(error instanceof LedgerholdError)) throw error;
    findings.push(violation('ORDER_VIOLATED', key, error.message));
    return undefined;
  }
}
