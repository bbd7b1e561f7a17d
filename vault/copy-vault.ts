import pLimit from 'p-limit';
import type { Tombstone } from '../core/manifest.ts';
import type { StoredObject, Vault } from '../core/vault.ts';
import {
  CopiesDiffer,
  CopyRefused,
  type Crossing,
  copyDocument,
  copyObject,
  expectSame,
  type LargeCopy,
} from './copy-object.ts';
import { type Document, NotADocument } from './documents.ts';
import { chainManifestsPrefix, FORMAT_KEY, manifestKey, numberOf, tombstoneKey } from './layout.ts';
import { manifestSeqs, nodesIn, readManifest, readTombstone, type StoredManifest } from './sets.ts';

export { CopiesDiffer, CopyRefused, type LargeCopy } from './copy-object.ts';

export interface CopyOptions {
  readonly signal?: AbortSignal;
  /** Called after each object that was copied; `size` in bytes. */
  readonly onObject?: (key: string, size: number) => void;
  /** How large objects are copied. Default: like all others, through this process. */
  readonly large?: LargeCopy;
}

export interface Copied {
  readonly objects: number;
  readonly bytes: number;
}

/**
 * Brings `to` up to `from`: all that it lacks, but what belongs to attempts that no manifest cites. Manifests come last,
 * oldest first, each behind its tombstone: whoever reads the copy meanwhile never finds a set that is yet to come whole.
 * What a manifest cites is hashed on the way. May be repeated, broken off and doubled; copies one object at a time.
 * Rejects with `CopyRefused` for what is damaged in `from`, after copying everything else, and with `CopiesDiffer` as
 * soon as `to` turns out to hold something else under a key.
 */
export async function copyVault(from: Vault, to: Vault, options: CopyOptions = {}): Promise<Copied> {
  const total = { objects: 0, bytes: 0 };
  const onObject = (key: string, size: number): void => {
    total.objects += 1;
    total.bytes += size;
    options.onObject?.(key, size);
  };
  const { signal = AbortSignal.any([]) } = options;
  const crossing: Crossing = { from, to, signal, onObject, damaged: new Set(), large: options.large };
  // Before the listings, so that whatever these sets cite shows in them.
  const chains = await readChains(crossing);
  await refuseForeign(crossing, chains);
  const histories = await sealedHistories(from);
  const cited = new Map(chains.flatMap(({ sets }) => sets.flatMap(citations)));
  const held = await copyObjects(crossing, cited, histories);
  for (const { sets } of chains) await copyChain(crossing, sets, held);
  if (crossing.damaged.size > 0) throw new CopyRefused([...crossing.damaged]);
  return total;
}

interface SealedSet {
  readonly manifest: StoredManifest;
  readonly tombstone: Document<Tombstone> | undefined;
}

interface SealedChain {
  readonly node: string;
  /** Oldest first. */
  readonly sets: readonly SealedSet[];
}

/** A node that is backed up every hour has 17,520 documents of its chain to read after a year. */
const READ_AT_ONCE = 16;

async function readChains({ from, damaged }: Crossing): Promise<SealedChain[]> {
  const chains: SealedChain[] = [];
  for (const node of await nodesIn(from)) {
    const limit = pLimit(READ_AT_ONCE);
    const read = async (seq: number) => ({
      manifest: await sound(damaged, manifestKey(node, seq), readManifest(from, node, seq)),
      tombstone: await sound(damaged, tombstoneKey(node, seq), readTombstone(from, node, seq)),
    });
    const sets = await Promise.all((await manifestSeqs(from, node)).map((seq) => limit(read, seq)));
    chains.push({ node, sets: sets.filter((set): set is SealedSet => set.manifest !== undefined) });
  }
  return chains;
}

/** A document; undefined, and noted as damaged, if it cannot be read as one. */
async function sound<T>(damaged: Set<string>, key: string, reading: Promise<T | undefined>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (!(error instanceof NotADocument)) throw error;
    damaged.add(key);
    return undefined;
  }
}

/** Throws `CopiesDiffer` if `to` is the vault of another network, or holds another history of a node. */
async function refuseForeign(crossing: Crossing, chains: readonly SealedChain[]): Promise<void> {
  const { from, to } = crossing;
  const [ours, theirs] = await Promise.all([from.get(FORMAT_KEY), to.get(FORMAT_KEY)]);
  if (theirs !== undefined && ours !== undefined) await expectSame(crossing, FORMAT_KEY);
  for (const { node, sets } of chains) {
    const copied = new Set(await manifestSeqs(to, node));
    // Each manifest holds the digest of the one before: the last that both have answers for all.
    const last = sets.findLast(({ manifest }) => copied.has(manifest.value.seq))?.manifest;
    const copy = last === undefined ? undefined : await to.get(last.key);
    if (last === undefined || copy === undefined || Buffer.compare(last.bytes, copy) === 0) continue;
    throw new CopiesDiffer(last.key, from, to);
  }
}

/** Key and digest of all that must lie in a vault before the set's manifest does. */
function citations({ manifest, tombstone }: SealedSet): (readonly [key: string, sha256: string])[] {
  const gone = new Set(tombstone?.value.removed.map(({ key }) => key));
  return manifest.value.components
    .flatMap(({ start, end, artifacts }) => [start, end, ...artifacts])
    .filter(({ key }) => !gone.has(key))
    .map(({ key, sha256 }) => [key, sha256]);
}

/** Manifests of histories that are sealed by now: what they cite will show in the listings. */
async function sealedHistories(from: Vault): Promise<ReadonlySet<string>> {
  const keys = new Set<string>();
  for (const node of await nodesIn(from, 'chain')) {
    for await (const { key } of from.list(chainManifestsPrefix(node))) if (numberOf(key) !== undefined) keys.add(key);
  }
  return keys;
}

const HISTORY = /^chain\/[^/]+\/manifests\/\d+\.json$/;
const CHAIN = /^sets\/[^/]+\/(?:manifests|tombstones)\//;
const RUN = /^sets\/[^/]+\/runs\//;

interface Found {
  /** Keys of chains that `to` has. */
  readonly held: ReadonlySet<string>;
  /** Cited keys that neither vault has. */
  readonly missing: ReadonlySet<string>;
}

/** Copies all but the chains of sets; of histories the manifests last, and none that was sealed since. */
async function copyObjects(
  crossing: Crossing,
  cited: ReadonlyMap<string, string>,
  histories: ReadonlySet<string>,
): Promise<Found> {
  const last: StoredObject[] = [];
  const held = new Set<string>();
  const missing = new Set(cited.keys());
  for await (const { key, ours, theirs } of besides(crossing)) {
    crossing.signal.throwIfAborted();
    if (theirs !== undefined) {
      missing.delete(key);
      if (CHAIN.test(key)) held.add(key);
      if (ours !== undefined && ours.size !== theirs.size) await expectSame(crossing, key, cited.get(key));
    } else if (ours !== undefined && HISTORY.test(key)) {
      if (histories.has(key)) last.push(ours);
    } else if (ours !== undefined && (cited.has(key) || !(CHAIN.test(key) || RUN.test(key)))) {
      if (await copyObject(crossing, ours, cited.get(key))) missing.delete(key);
    }
  }
  for (const manifest of last) await copyObject(crossing, manifest, undefined);
  return { held, missing };
}

async function copyChain(crossing: Crossing, sets: readonly SealedSet[], { held, missing }: Found): Promise<void> {
  const { from, signal, damaged } = crossing;
  for (const set of sets) {
    signal.throwIfAborted();
    const { key, value } = set.manifest;
    const absent = citations(set).flatMap(([cited]) => (missing.has(cited) ? [cited] : []));
    // Retention may have given it one since it was read, and then removed what is absent.
    const late = absent.length === 0 ? undefined : await readTombstone(from, value.node, value.seq);
    const tombstone = set.tombstone ?? late;
    const gone = new Set(tombstone?.value.removed.map((artifact) => artifact.key));
    for (const each of absent) if (!gone.has(each)) damaged.add(each);
    if (tombstone !== undefined && !held.has(tombstone.key)) await copyDocument(crossing, tombstone);
    if (!held.has(key)) await copyDocument(crossing, set.manifest);
  }
}

interface Pair {
  readonly key: string;
  readonly ours: StoredObject | undefined;
  readonly theirs: StoredObject | undefined;
}

/** The listings of both vaults side by side, by key, in constant memory. */
async function* besides({ from, to }: Crossing): AsyncGenerator<Pair> {
  const [left, right] = [from.list('')[Symbol.asyncIterator](), to.list('')[Symbol.asyncIterator]()];
  let [ours, theirs] = [await next(left), await next(right)];
  for (;;) {
    const [key] = [ours, theirs].flatMap((object) => (object === undefined ? [] : [object.key])).sort();
    if (key === undefined) return;
    const pair = { key, ours: ours?.key === key ? ours : undefined, theirs: theirs?.key === key ? theirs : undefined };
    yield pair;
    if (pair.ours !== undefined) ours = await next(left);
    if (pair.theirs !== undefined) theirs = await next(right);
  }
}

async function next(listing: AsyncIterator<StoredObject>): Promise<StoredObject | undefined> {
  const step = await listing.next();
  return step.done === true ? undefined : step.value;
}
