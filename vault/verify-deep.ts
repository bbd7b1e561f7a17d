import { canonicalBytes } from '../core/canonical.ts';
import type { ByteFilter } from '../core/ports.ts';
import { judge, type Reading } from '../core/positions.ts';
import { type Finding, violation } from '../core/proof.ts';
import type { Artifact } from '../core/receipts.ts';
import { isSnapshot } from '../core/snapshots.ts';
import type { Vault } from '../core/vault.ts';
import { AgeDamaged } from '../io/age.ts';
import { readDump } from '../io/postgres/dump-reader.ts';
import { DumpDamaged, UnsupportedDump } from '../io/postgres/errors.ts';
import type { Protocol } from '../protocols/protocol.ts';
import { ArtifactDamaged, openArtifact } from './artifact.ts';
import { proveBytes } from './prove-bytes.ts';
import { proveReference } from './prove-reference.ts';
import type { SetProof } from './prove-set.ts';
import type { StoredManifest } from './sets.ts';

export interface DeepOptions {
  readonly vault: Vault;
  /** Opens what was encrypted; absent where nothing was. */
  readonly decrypt?: ByteFilter;
  readonly protocolNamed: (name: string) => Protocol;
  readonly signal?: AbortSignal;
  readonly onBytes?: (count: number, about: string) => void;
}

interface Reread {
  readonly component: string;
  readonly role: string;
  readonly reading: Reading | undefined;
  readonly inSnapshot?: true;
}

/**
 * Opens every artifact of a set, reads it to its end, reads the positions out of it again, and judges those: whatever
 * the receipts say, this is what a restore would bring back. Streams; nothing is restored.
 */
export async function proveDeep(
  proof: SetProof,
  { key, value: manifest }: StoredManifest,
  options: DeepOptions,
): Promise<{ findings: Finding[]; bytes: number }> {
  const findings: Finding[] = [];
  const reread: Reread[] = [];
  let bytes = 0;
  for (const { component, role, artifact } of proof.artifacts) {
    options.signal?.throwIfAborted();
    bytes += artifact.size;
    if (proof.protocol === undefined) {
      findings.push(...(await proveBytes(artifact, options)));
      continue;
    }
    if (isSnapshot(artifact)) {
      findings.push(
        ...(await proveBytes(artifact, options)),
        ...(await proveReference(options.vault, artifact, { ...manifest, component })),
      );
      reread.push({ component, role, reading: undefined, inSnapshot: true });
      continue;
    }
    const reading = await readAgain(artifact, role, proof.protocol, options, findings);
    reread.push({ component, role, reading });
    if (reading === undefined) continue;
    const attested = proof.receipts.get(component)?.end?.value.reading;
    // Nothing was attested: a later version may read it, or say in other words why it cannot.
    if (attested?.status === 'unknown' || (attested !== undefined && same(attested, reading))) continue;
    const text = `${component} holds ${told(reading)}, and its receipt attests ${told(attested)}`;
    findings.push(violation('READING_DIFFERS', artifact.key, text));
  }
  if (proof.protocol === undefined) return { findings, bytes };
  const { laws, sameIdentity } = proof.protocol;
  const verdict = judge({ laws, sameIdentity, readings: reread, order: manifest.order });
  if (verdict.status === 'violated') {
    findings.push(...verdict.violations.map((text) => violation('POSITIONS_VIOLATED', key, text)));
  } else if (verdict.status === 'unknown') {
    findings.push(...verdict.reasons.map((text) => unknown('POSITIONS_UNKNOWN', key, text)));
  }
  return { findings, bytes };
}

/** Undefined: it could not be read, and `findings` says why; or it holds nothing that has positions. */
async function readAgain(
  artifact: Artifact,
  role: string,
  protocol: Protocol,
  options: DeepOptions,
  findings: Finding[],
): Promise<Reading | undefined> {
  const { key, content } = artifact;
  try {
    const opened = counted(openArtifact(options.vault, artifact, options.decrypt), (n) => options.onBytes?.(n, key));
    const reader = protocol.contents?.[content];
    if (reader !== undefined) return await readWhole(opened, reader);
    const { facts } = await readDump(content, opened, protocol.positions.queries);
    const reading = protocol.positions.read(role, facts);
    if (reading.status !== 'refused') return reading;
    findings.push(violation('DATABASE_REFUSED', key, reading.reason));
  } catch (error) {
    if (error instanceof ArtifactDamaged || error instanceof AgeDamaged) {
      findings.push(violation('BYTES_CHANGED', key, error.message));
    } else if (error instanceof DumpDamaged) findings.push(violation('DUMP_DAMAGED', key, error.message));
    else if (error instanceof UnsupportedDump) {
      findings.push(unknown('CONTENT_UNKNOWN', key, error.message), ...(await proveBytes(artifact, options)));
    } else throw error;
  }
  return undefined;
}

/** What is small enough to be read whole holds keys: our copies of it do not outlive the reading. */
async function readWhole(opened: AsyncIterable<Uint8Array>, read: (bytes: Uint8Array) => Reading): Promise<Reading> {
  // Copied piece by piece: what the stream hands out is not ours to overwrite.
  const pieces: Buffer[] = [];
  let whole = Buffer.alloc(0);
  try {
    for await (const piece of opened) pieces.push(Buffer.from(piece));
    whole = Buffer.concat(pieces);
    return read(whole);
  } finally {
    for (const piece of [...pieces, whole]) piece.fill(0);
  }
}

async function* counted(source: AsyncIterable<Uint8Array>, count: (bytes: number) => void): AsyncIterable<Uint8Array> {
  for await (const chunk of source) {
    count(chunk.length);
    yield chunk;
  }
}

const same = (a: Reading, b: Reading): boolean => Buffer.compare(canonicalBytes(a), canonicalBytes(b)) === 0;

function told(reading: Reading | undefined): string {
  if (reading === undefined) return 'nothing';
  if (reading.status === 'unknown') return `no readable positions (${reading.reason})`;
  const counters = reading.counters.map(({ name, value }) => `${name} ${value}`).join(', ');
  return [reading.identity ?? 'no identity', counters].filter((part) => part !== '').join(', ');
}
const unknown = (code: string, about: string, text: string): Finding => ({ level: 'unknown', code, about, text });
