import { type ChainManifest, ChainRecord, HistoryDamaged } from '../core/chain.ts';
import type { Cursor, Deliverable } from '../core/delivery.ts';
import { LedgerholdError } from '../core/errors.ts';
import type { Sha256 } from '../core/names.ts';
import type { Vault } from '../core/vault.ts';
import { sha256 } from '../io/digest.ts';
import { isKeyOf, verifySignature } from '../io/signatures.ts';
import { readLink } from './chain.ts';
import { type Document, readDocument } from './documents.ts';
import { HISTORY } from './history.ts';
import { InvalidKey } from './keys.ts';
import { chainFileKey, endorsementsIn, FORMAT_KEY, numberOf, publicKeyKey, signatureKey } from './layout.ts';
import { isOfChain } from './uncited.ts';

/** What one manifest brings, with the manifest last: what a member has of it is no part of the history before that. */
export interface DeliveryUnit {
  readonly node: string;
  readonly cursor: Cursor;
  /** Whose key verifies it. */
  readonly signer: Sha256;
  readonly items: readonly Deliverable[];
}

/** A manifest cites 100 files at most, or all that were imported at once. */
const READS_AT_ONCE = 16;

/**
 * The units of a chain behind a manifest (undefined: from the first on), oldest first, as long as there are any. Rejects
 * with an error that `isDamage`: nothing is delivered of what is not as it was sealed, or behind it.
 */
export async function* unitsAfter(
  vault: Vault,
  node: string,
  after: Pick<Cursor, 'seq' | 'sha256'> | undefined,
): AsyncGenerator<DeliveryUnit> {
  // The vault that a member was filled from may have been put back to an older state since, or to another history.
  if (after !== undefined && (await readLink(vault, HISTORY, node, after.seq))?.sha256 !== after.sha256) {
    throw damaged(HISTORY.keyOf(node, after.seq));
  }
  for (let before = after; ; ) {
    const seq = (before?.seq ?? 0) + 1;
    const manifest = await readLink(vault, HISTORY, node, seq);
    if (manifest === undefined) {
      if (await isEnd(vault, node, seq)) return;
      continue;
    }
    const { value, key } = manifest;
    const follows = value.node === node && value.seq === seq && value.previous === (before?.sha256 ?? null);
    if (!follows) throw damaged(key);
    const unit = await unitOf(vault, node, manifest);
    yield unit;
    before = unit.cursor;
  }
}

/** Whether no manifest has this number or a higher one. Rejects with `HistoryDamaged` if it alone is missing. */
async function isEnd(vault: Vault, node: string, seq: number): Promise<boolean> {
  const key = HISTORY.keyOf(node, seq);
  for await (const later of vault.list(HISTORY.prefixOf(node), key)) {
    if (numberOf(later.key) === undefined) continue;
    // Both may have been sealed since the one was asked for.
    if ((await vault.stat(key)) !== undefined) return false;
    throw damaged(key);
  }
  return true;
}

/** Whether it is about what lies in the vault, and so about one chain or one member, and not about the vault at large. */
export const isDamage = (error: unknown): error is LedgerholdError =>
  error instanceof InvalidKey ||
  (error instanceof LedgerholdError && (error.kind === 'violation' || error.kind === 'unknown'));

async function unitOf(vault: Vault, node: string, manifest: Document<ChainManifest>): Promise<DeliveryUnit> {
  const { value, key, sha256: digest, bytes } = manifest;
  // Together: a first fill reads thousands of manifests one after the other, and each look at S3 takes its time.
  const [records, agreement, signature] = await Promise.all([
    recordsOf(vault, value),
    bytesOf(vault, value.agreement.key, value.agreement.sha256),
    bytesOf(vault, signatureKey(key, digest)),
  ]);
  const files = records.map(({ value: { file } }): Deliverable => {
    return { key: chainFileKey(node, file.name), size: file.size, sha256: file.sha256, kind: 'file' };
  });
  const documents = records.map((record) => documentItem(record.key, record.bytes));
  const items: Deliverable[] = [
    ...files,
    ...documents,
    documentItem(value.agreement.key, agreement),
    { ...documentItem(signatureKey(key, digest), signature), kind: 'seal' },
    { ...documentItem(key, bytes), kind: 'seal' },
  ];
  // Whatever a manifest cites: nothing goes out but what a chain's history consists of.
  const stranger = items.find((item) => !isOfChain(node, item.key));
  if (stranger !== undefined) throw damaged(stranger.key);
  const cursor = { seq: value.seq, sha256: digest, sealedAt: value.sealedAt, block: value.head?.number ?? null };
  return { node, cursor, signer: value.signer, items };
}

async function recordsOf(vault: Vault, { records: all }: ChainManifest): Promise<Document<ChainRecord>[]> {
  const records: Document<ChainRecord>[] = [];
  for (let at = 0; at < all.length; at += READS_AT_ONCE) {
    records.push(...(await Promise.all(all.slice(at, at + READS_AT_ONCE).map((each) => cited(vault, each)))));
  }
  return records;
}

/** What makes a member's share a vault that can be verified: its format, and the public keys with their endorsements. */
export async function* trustItems(vault: Vault): AsyncGenerator<Deliverable> {
  const format = await vault.get(FORMAT_KEY);
  if (format !== undefined) yield documentItem(FORMAT_KEY, format);
  for await (const { key } of vault.list('keys/')) {
    const [, fingerprint] = /^keys\/([0-9a-f]{64})\.pem$/.exec(key) ?? [];
    const endorsement = endorsementsIn(key);
    if (fingerprint === undefined && endorsement === undefined) continue;
    const bytes = await vault.get(key);
    if (bytes === undefined) continue;
    // Its name is no proof: what is sent cannot be taken back, and must be no other key than the one it is called after.
    const isPublic = fingerprint === undefined || isKeyOf(fingerprint, bytes);
    if (!isPublic || (endorsement !== undefined && !(await endorses(vault, endorsement, bytes)))) throw damaged(key);
    yield documentItem(key, bytes);
  }
}

async function endorses(
  vault: Vault,
  of: { fingerprint: string; by: string },
  signature: Uint8Array,
): Promise<boolean> {
  const [key, by] = [await vault.get(publicKeyKey(of.fingerprint)), await vault.get(publicKeyKey(of.by))];
  if (key === undefined || by === undefined || !isKeyOf(of.by, by)) return false;
  return verifySignature(Buffer.from(by).toString(), key, signature);
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
    `${key} is missing, or not what was sealed there: nothing is delivered from there on`,
    'Run `ledgerhold verify --all`, and bring back what it names from another copy.',
  );
