import { ChainAgreement, ChainManifest, ChainRecord, HistoryDamaged } from '../core/chain.ts';
import type { Vault } from '../core/vault.ts';
import { type Links, readLink } from './chain.ts';
import { type Document, readDocument } from './documents.ts';
import { agreementKey, chainManifestKey, chainManifestsPrefix, chainRunsPrefix } from './layout.ts';

/** The manifests of a chain's history. */
export const HISTORY: Links<ChainManifest> = {
  schema: ChainManifest,
  prefixOf: chainManifestsPrefix,
  keyOf: chainManifestKey,
  runsOf: chainRunsPrefix,
};

/** One record as the manifests have it. */
export interface HistoryEntry {
  readonly record: Document<ChainRecord>;
  /** Number of the manifest that brought it. */
  readonly seq: number;
  /** False: a later manifest says that the chain has left these blocks. */
  readonly canonical: boolean;
}

export interface History {
  /** In the order in which they were sealed. */
  readonly entries: readonly HistoryEntry[];
  readonly head: Document<ChainManifest> | undefined;
}

/** Records read side by side: enough to hide the way to a bucket and back. */
const READS_AT_ONCE = 16;

/** Folds the manifests, oldest first. Rejects with `ChainDamaged` or `HistoryDamaged`. */
export async function readHistory(vault: Vault, node: string): Promise<History> {
  const manifests: Document<ChainManifest>[] = [];
  for (;;) {
    const seqs = Array.from({ length: READS_AT_ONCE }, (_, n) => manifests.length + 1 + n);
    const page = await Promise.all(seqs.map((seq) => readLink(vault, HISTORY, node, seq)));
    const end = page.indexOf(undefined);
    for (const each of end === -1 ? page : page.slice(0, end)) if (each !== undefined) manifests.push(each);
    if (end !== -1) break;
  }
  const left = new Set(manifests.flatMap(({ value }) => value.orphaned.map(({ sha256 }) => sha256)));
  const cited = manifests.flatMap(({ value }) => value.records.map((each) => ({ ...each, seq: value.seq })));
  const entries: HistoryEntry[] = [];
  for (let at = 0; at < cited.length; at += READS_AT_ONCE) {
    const page = cited.slice(at, at + READS_AT_ONCE).map(async ({ key, sha256, seq }) => ({
      ...{ record: await citedRecord(vault, key, sha256), seq },
      canonical: !left.has(sha256),
    }));
    entries.push(...(await Promise.all(page)));
  }
  return { entries, head: manifests.at(-1) };
}

/** Those whose blocks are of the chain, from genesis on. */
export const canonicalRecords = ({ entries }: Pick<History, 'entries'>): readonly ChainRecord[] =>
  entries.filter(({ canonical }) => canonical).map(({ record }) => record.value);

/** A record whose bytes are those that a manifest cites. Rejects with `HistoryDamaged`. */
export async function citedRecord(vault: Vault, key: string, sha256: string): Promise<Document<ChainRecord>> {
  const record = await readDocument(vault, key, ChainRecord);
  if (record !== undefined && record.sha256 === sha256) return record;
  throw new HistoryDamaged(
    record === undefined ? `${key} is missing` : `${key} is not the record that was sealed`,
    'Put it back byte for byte, from a member’s bucket or an older version of the object.',
  );
}

/** Undefined: this attempt has agreed on nothing yet. */
export const readAgreement = (
  vault: Vault,
  attempt: { readonly node: string; readonly slot: string; readonly fence: number },
): Promise<Document<ChainAgreement> | undefined> => readDocument(vault, agreementKey(attempt), ChainAgreement);
