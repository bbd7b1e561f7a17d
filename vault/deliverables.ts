import { type ChainManifest, ChainRecord, HistoryDamaged } from '../core/chain.ts';
import type { Cursor, Deliverable } from '../core/delivery.ts';
import type { Vault } from '../core/vault.ts';
import { sha256 } from '../io/digest.ts';
import { readLink } from './chain.ts';
import { type Document, readDocument } from './documents.ts';
import { HISTORY } from './history.ts';
import { chainFileKey, endorsementsIn, FORMAT_KEY, signatureKey } from './layout.ts';

/** What one manifest brings, with the manifest last: what a member has of it is no part of the history before that. */
export interface DeliveryUnit {
  readonly node: string;
  readonly cursor: Cursor;
  readonly items: readonly Deliverable[];
}

/** A manifest cites 100 files at most, or all that were imported at once. */
const READS_AT_ONCE = 16;

/**
 * The units of a chain behind number `after`, oldest first, as long as there are any. Rejects with `ChainDamaged` or
 * `HistoryDamaged`: nothing is delivered of what is not as it was sealed, or behind it.
 */
export async function* unitsAfter(vault: Vault, node: string, after: number): AsyncGenerator<DeliveryUnit> {
  for (let seq = after + 1; ; seq++) {
    const manifest = await readLink(vault, HISTORY, node, seq);
    if (manifest === undefined) return;
    yield await unitOf(vault, node, manifest);
  }
}

async function unitOf(vault: Vault, node: string, manifest: Document<ChainManifest>): Promise<DeliveryUnit> {
  const { value, key, sha256: digest, bytes } = manifest;
  const records: Document<ChainRecord>[] = [];
  for (let at = 0; at < value.records.length; at += READS_AT_ONCE) {
    records.push(...(await Promise.all(value.records.slice(at, at + READS_AT_ONCE).map((each) => cited(vault, each)))));
  }
  const files = records.map(({ value: { file } }): Deliverable => {
    return { key: chainFileKey(node, file.name), size: file.size, sha256: file.sha256, kind: 'file' };
  });
  const documents = records.map((record) => documentItem(record.key, record.bytes));
  const agreement = await bytesOf(vault, value.agreement.key, value.agreement.sha256);
  const signature = await bytesOf(vault, signatureKey(key, digest));
  return {
    node,
    cursor: { seq: value.seq, sha256: digest, sealedAt: value.sealedAt, block: value.head?.number ?? null },
    items: [
      ...files,
      ...documents,
      documentItem(value.agreement.key, agreement),
      { ...documentItem(signatureKey(key, digest), signature), kind: 'seal' },
      { ...documentItem(key, bytes), kind: 'seal' },
    ],
  };
}

/** What makes a member's share a vault that can be verified: its format, and the public keys with their endorsements. */
export async function* trustItems(vault: Vault): AsyncGenerator<Deliverable> {
  const format = await vault.get(FORMAT_KEY);
  if (format !== undefined) yield documentItem(FORMAT_KEY, format);
  for await (const { key } of vault.list('keys/')) {
    const isPublic = /^keys\/[0-9a-f]{64}\.pem$/.test(key) || endorsementsIn(key) !== undefined;
    const bytes = isPublic ? await vault.get(key) : undefined;
    if (bytes !== undefined) yield documentItem(key, bytes);
  }
}

const documentItem = (key: string, bytes: Uint8Array): Deliverable => ({
  ...{ key, size: bytes.length, sha256: sha256(bytes), kind: 'document', bytes },
});

async function cited(vault: Vault, { key, sha256: digest }: { key: string; sha256: string }) {
  const record = await readDocument(vault, key, ChainRecord);
  if (record?.sha256 === digest) return record;
  throw damaged(key);
}

async function bytesOf(vault: Vault, key: string, digest?: string): Promise<Uint8Array> {
  const bytes = await vault.get(key);
  if (bytes !== undefined && (digest === undefined || sha256(bytes) === digest)) return bytes;
  throw damaged(key);
}

const damaged = (key: string): HistoryDamaged =>
  new HistoryDamaged(
    `${key} is missing, or not what was sealed: nothing is delivered from there on`,
    'Run `ledgerhold verify --all`, and bring back what it names from another copy.',
  );
