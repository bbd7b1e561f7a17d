import { ChainDamaged, type Tombstone } from '../core/manifest.ts';
import { type Finding, violation } from '../core/proof.ts';
import type { Vault } from '../core/vault.ts';
import { type Links, type LinkValue, SETS } from './chain.ts';
import { type Document, NotADocument, readDocument, UnknownFormat } from './documents.ts';
import { numberOf, signatureKey, tombstoneKey, tombstonesPrefix } from './layout.ts';
import { manifestSeqs, readTombstone, type StoredManifest } from './sets.ts';
import { checkSigned, type Trust } from './trust.ts';

/** One link: the manifest if it could be read, and what is wrong with it as a link. */
export interface Link {
  readonly seq: number;
  readonly manifest: StoredManifest | undefined;
  /** Present unless its own signature or citation is wrong; without a public key both are as doubtful as the manifest. */
  readonly tombstone: Document<Tombstone> | undefined;
  readonly findings: readonly Finding[];
}

export interface Chain {
  readonly links: readonly Link[];
  /** About the chain as a whole. */
  readonly findings: readonly Finding[];
}

/**
 * Re-proves a node's chain of manifests: numbered without a gap from 1, each signed by a trusted key, each citing the
 * digest of the one before. What is missing at its end shows only against a head known from outside.
 */
export async function proveChain(
  vault: Vault,
  node: string,
  network: string | undefined,
  trust: Trust,
): Promise<Chain> {
  const seqs = await manifestSeqs(vault, node);
  const head = seqs.at(-1) ?? 0;
  const links: Link[] = [];
  const slots = new Map<string, number>();
  for (let seq = 1; seq <= head; seq++) {
    const before = links.at(-1)?.manifest;
    links.push(await proveLink({ vault, node, network, trust, slots }, seq, before));
  }
  return { links, findings: await orphanedTombstones(vault, node, head) };
}

export interface ProofContext {
  readonly vault: Vault;
  readonly node: string;
  readonly network: string | undefined;
  readonly trust: Trust;
  /** Slots seen so far, with the number of their manifest. */
  readonly slots: Map<string, number>;
}

/** One link by itself: `before` is the one that it must cite, if that could be read. */
export async function proveLink(context: ProofContext, seq: number, before: StoredManifest | undefined): Promise<Link> {
  const { manifest, findings } = await proveLinkOf(context, SETS, seq, before);
  if (manifest === undefined) return { seq, manifest, tombstone: undefined, findings };
  return { seq, manifest, tombstone: await provenTombstone(context, manifest, findings), findings };
}

/** What every signed manifest says of its place in its chain. */
interface Chained extends LinkValue {
  readonly network: string;
  readonly previous: string | null;
  readonly signer: string;
}

/** The same of a link of any kind: numbered, in its place, signed, citing the one before it, alone at its slot. */
export async function proveLinkOf<M extends Chained>(
  context: ProofContext,
  links: Links<M>,
  seq: number,
  before: Document<M> | undefined,
): Promise<{ readonly manifest: Document<M> | undefined; readonly findings: Finding[] }> {
  const { vault, node, slots } = context;
  const key = links.keyOf(node, seq);
  const findings: Finding[] = [];
  const manifest = await orFinding(findings, key, () => readDocument(vault, key, links.schema));
  if (manifest === undefined) {
    if (findings.length === 0)
      findings.push(violation('MANIFEST_MISSING', key, `${key} is missing from the middle of its chain`));
    return { manifest, findings };
  }
  const { value } = manifest;
  if (
    value.seq !== seq ||
    value.node !== node ||
    (context.network !== undefined && value.network !== context.network)
  ) {
    const text = `${key} holds manifest ${value.seq} of ${value.node} in ${value.network}: moved or replayed`;
    findings.push(violation('MANIFEST_FOREIGN', key, text));
  }
  findings.push(...(await proveSignature(context, manifest, value.signer)));
  const cited = before === undefined && seq === 1 ? null : before?.sha256;
  if (cited !== undefined && value.previous !== cited) {
    findings.push(violation('CHAIN_BROKEN', key, `${key} does not cite the manifest that lies before it`));
  }
  const twin = slots.get(value.slot);
  if (twin !== undefined)
    findings.push(violation('SLOT_TWICE', key, `slot ${value.slot} was sealed as ${twin} and as ${seq}`));
  slots.set(value.slot, seq);
  return { manifest, findings };
}

async function provenTombstone(
  context: ProofContext,
  manifest: StoredManifest,
  findings: Finding[],
): Promise<Document<Tombstone> | undefined> {
  const { node, seq } = manifest.value;
  const key = tombstoneKey(node, seq);
  const own: Finding[] = [];
  const tombstone = await orFinding(own, key, () => readTombstone(context.vault, node, seq));
  if (tombstone !== undefined) {
    own.push(...(await proveSignature(context, tombstone, tombstone.value.signer)));
    if (tombstone.value.manifest !== manifest.sha256 || tombstone.value.seq !== seq || tombstone.value.node !== node) {
      own.push(violation('TOMBSTONE_FOREIGN', key, `${key} speaks of another manifest`));
    }
  }
  findings.push(...own);
  return own.some(({ level }) => level === 'violation') ? undefined : tombstone;
}

export async function proveSignature(
  { vault, trust }: Pick<ProofContext, 'vault' | 'trust'>,
  document: { readonly key: string; readonly bytes: Uint8Array },
  signer: string,
): Promise<Finding[]> {
  const { key, bytes } = document;
  const checked = await checkSigned(vault, trust, signer, bytes, (digest) => signatureKey(key, digest));
  if (checked === 'good') return [];
  if (checked === 'missing') return [violation('SIGNATURE_MISSING', key, `${key} has no signature over its bytes`)];
  if (checked === 'wrong') return [violation('SIGNATURE_WRONG', key, `the signature of ${key} does not fit its bytes`)];
  if (trust.size > 0)
    return [violation('SIGNER_UNTRUSTED', key, `${key} is signed by ${signer}, which no given key vouches for`)];
  const text = `${key}: no public key was given, so its signature proves nothing`;
  return [{ level: 'unknown', code: 'NO_PUBLIC_KEY', about: key, text }];
}

async function orphanedTombstones(vault: Vault, node: string, head: number): Promise<Finding[]> {
  const found: Finding[] = [];
  for await (const { key } of vault.list(tombstonesPrefix(node))) {
    const seq = numberOf(key);
    if (seq !== undefined && seq > head) {
      found.push(violation('MANIFEST_MISSING', key, `${key} outlived manifest ${seq}, which is missing`));
    }
  }
  return found;
}

/** A document that cannot be read is a finding about it; anything else (the vault is down) is no statement about it. */
export async function orFinding<T>(findings: Finding[], about: string, read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof NotADocument || error instanceof ChainDamaged) {
      findings.push(violation('DOCUMENT_DAMAGED', about, error.message));
    } else if (error instanceof UnknownFormat) {
      findings.push({ level: 'unknown', code: 'FORMAT_UNKNOWN', about, text: error.message });
    } else throw error;
    return undefined;
  }
}
