import { LedgerholdError } from '../core/errors.ts';
import { Manifest, Tombstone } from '../core/manifest.ts';
import { setId } from '../core/names.ts';
import type { Attested } from '../core/positions.ts';
import { EndReceipt, StartReceipt } from '../core/receipts.ts';
import { SNAPSHOT_CONTENT } from '../core/snapshots.ts';
import type { Vault } from '../core/vault.ts';
import { headNumber, SETS } from './chain.ts';
import { type Document, NotADocument, readDocument, UnknownFormat } from './documents.ts';
import { manifestKey, manifestsPrefix, numberOf, tombstoneKey } from './layout.ts';

export type StoredManifest = Document<Manifest>;

/** The set that was asked for is not in this vault. */
export class NoSuchSet extends LedgerholdError {
  override readonly name = 'NoSuchSet';
  readonly kind = 'usage';
  constructor(wanted: string, known: readonly string[]) {
    const some =
      known.length === 0
        ? 'It holds none.'
        : `It holds ${known.slice(-5).join(', ')}${known.length > 5 ? ' and older ones' : ''}.`;
    super(`this vault holds no set ${wanted}`, `${some} Run \`ledgerhold sets\` to list them.`);
  }
}

/** Names of all nodes that have sets, or under `chain` a chain; of members under the others. In order. */
export async function nodesIn(
  vault: Vault,
  kind: 'sets' | 'chain' | 'deliveries' | 'proofs' = 'sets',
): Promise<string[]> {
  const nodes: string[] = [];
  let after = `${kind}/`;
  for (;;) {
    let next: string | undefined;
    for await (const { key } of vault.list(`${kind}/`, after)) {
      next = key.split('/')[1];
      break;
    }
    if (next === undefined) return nodes;
    nodes.push(next);
    // '0' is the byte after '/': skips everything else under this node in one step.
    after = `${kind}/${next}0`;
  }
}

/** Chains that a member may name: those of the configuration, and those that the vault has a history of. */
export const chainsKnown = async (vault: Vault, configured: readonly string[]): Promise<string[]> => [
  ...new Set([...configured, ...(await nodesIn(vault, 'chain'))]),
];

/** Numbers of a node's manifests, ascending. */
export async function manifestSeqs(vault: Vault, node: string): Promise<number[]> {
  const seqs: number[] = [];
  for await (const { key } of vault.list(manifestsPrefix(node))) {
    const seq = numberOf(key);
    if (seq !== undefined) seqs.push(seq);
  }
  return seqs;
}

/** Number of the newest manifest; 0 if there is none. */
export const headSeq = (vault: Vault, node: string): Promise<number> => headNumber(vault, SETS, node);

export const readManifest = (vault: Vault, node: string, seq: number): Promise<StoredManifest | undefined> =>
  readDocument(vault, manifestKey(node, seq), Manifest);

export const readTombstone = (vault: Vault, node: string, seq: number): Promise<Document<Tombstone> | undefined> =>
  readDocument(vault, tombstoneKey(node, seq), Tombstone);

/** One set as its documents tell it; nothing here is verified yet. */
export interface StoredSet {
  readonly id: string;
  readonly manifest: StoredManifest;
  readonly tombstone: Document<Tombstone> | undefined;
}

/** A set of which a document cannot be read, and why. */
export interface UnreadableSet {
  readonly id: string;
  readonly fault: NotADocument | UnknownFormat;
}

export const isReadable = (set: StoredSet | UnreadableSet): set is StoredSet => !('fault' in set);

/** A node's sets, oldest first, those too that cannot be read: one damaged document hides no other set. */
export async function* listSets(vault: Vault, node: string): AsyncIterable<StoredSet | UnreadableSet> {
  for (const seq of await manifestSeqs(vault, node)) {
    try {
      yield await readSet(vault, node, seq);
    } catch (error) {
      if (!(error instanceof NotADocument || error instanceof UnknownFormat)) throw error;
      yield { id: setId(node, seq), fault: error };
    }
  }
}

/** The same, of which every one can be read. Rejects with `NotADocument` or `UnknownFormat`. */
export async function* readSets(vault: Vault, node: string): AsyncIterable<StoredSet> {
  const seqs = await manifestSeqs(vault, node);
  for (const seq of seqs) yield await readSet(vault, node, seq);
}

async function readSet(vault: Vault, node: string, seq: number): Promise<StoredSet> {
  const manifest = await readManifest(vault, node, seq);
  if (manifest === undefined) throw new NoSuchSet(setId(node, seq), []);
  return { id: setId(node, seq), manifest, tombstone: await readTombstone(vault, node, seq) };
}

/**
 * Finds a set by what a person types: `<node>/<seq>`, `<seq>` or a slot or `latest` where the vault has one node.
 * Rejects with `NoSuchSet`.
 */
export async function findSet(vault: Vault, wanted: string, node?: string): Promise<StoredSet> {
  const [first, second] = wanted.split('/');
  const nodes =
    second !== undefined && first !== undefined ? [first] : node !== undefined ? [node] : await nodesIn(vault);
  const rest = second ?? wanted;
  const found: StoredSet[] = [];
  const known: string[] = [];
  for (const each of nodes) {
    const seqs = await manifestSeqs(vault, each);
    known.push(...seqs.map((seq) => setId(each, seq)));
    const seq = rest === 'latest' ? seqs.at(-1) : /^\d{1,8}$/.test(rest) ? Number(rest) : undefined;
    if (seq !== undefined && seqs.includes(seq)) found.push(await readSet(vault, each, seq));
    else if (seq === undefined)
      for await (const set of listSets(vault, each))
        if (isReadable(set) && set.manifest.value.slot === rest) found.push(set);
  }
  const [only, another] = found;
  if (only === undefined || another !== undefined) throw new NoSuchSet(wanted, known);
  return only;
}

export interface StoredReceipts {
  readonly start: Document<StartReceipt>;
  readonly end: Document<EndReceipt>;
}

/** Both halves of a component's receipt; undefined for what is absent. */
export async function readReceipts(
  vault: Vault,
  keys: { readonly start: string; readonly end: string },
): Promise<{ start: Document<StartReceipt> | undefined; end: Document<EndReceipt> | undefined }> {
  return {
    start: await readDocument(vault, keys.start, StartReceipt),
    end: await readDocument(vault, keys.end, EndReceipt),
  };
}

/** How a component of a set counts as evidence, by its finished receipt. */
export const attested = (
  { component, role }: { readonly component: string; readonly role: string },
  end: EndReceipt | undefined,
): Attested => ({
  ...{ component, role, reading: end?.reading },
  ...(end?.artifacts.some(({ content }) => content === SNAPSHOT_CONTENT) === true && { inSnapshot: true }),
});
