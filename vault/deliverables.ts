import pLimit from 'p-limit';
import { ChainRecord, HistoryDamaged } from '../core/chain.ts';
import type { Cursor, Deliverable } from '../core/delivery.ts';
import { LedgerholdError } from '../core/errors.ts';
import type { Sha256 } from '../core/names.ts';
import type { Vault } from '../core/vault.ts';
import { sha256 } from '../io/digest.ts';
import { isKeyOf, verifySignature } from '../io/signatures.ts';
import { readLink, readSignedLink } from './chain.ts';
import { readDocument } from './documents.ts';
import { HISTORY } from './history.ts';
import { InvalidKey } from './keys.ts';
import { chainFileKey, endorsementsIn, FORMAT_KEY, numberOf, publicKeyKey, signatureKey } from './layout.ts';
import { isOfChain } from './uncited.ts';

/** What one manifest brings, with the manifest last: what a member has of it is no part of the history before that. */
export interface DeliveryUnit {
  readonly node: string;
  readonly cursor: Cursor;
  /** SHA-256 of the manifest that it is chained to. */
  readonly previous: Sha256 | null;
  /** Whose key verifies it. */
  readonly signer: Sha256;
  readonly items: readonly Deliverable[];
}

/** Of manifests and of what they cite: enough to hide the way to a bucket and back. */
const READS_AT_ONCE = 16;

/**
 * Manifests read, with what they cite, while those before them are on their way. To read one takes three answers of the
 * vault, one after the other, and to seal it two of the member's: with eight nobody waits for the vault while it takes no
 * more than five times as long to answer. They are held in memory: 100 records each at most, but where many were imported.
 */
const AHEAD = 8;

/**
 * The units of a chain behind a manifest (undefined: from the first on), oldest first, as long as there are any. Rejects
 * with an error that `isDamage`: nothing is delivered of what is not as it was sealed, or behind it. What was read ahead
 * counts in its turn, an error too. No more is read ahead than was found before: most deliveries have one to bring.
 */
export async function* unitsAfter(
  vault: Vault,
  node: string,
  after: Pick<Cursor, 'seq' | 'sha256'> | undefined,
): AsyncGenerator<DeliveryUnit> {
  if (after !== undefined) await refuseOther(vault, node, after);
  const over = new AbortController();
  const read = oneOfFew(over.signal);
  const ahead: Promise<DeliveryUnit | undefined>[] = [];
  const readOn = (from: number, count: number): void => {
    while (ahead.length < count) {
      const reading = readUnit(vault, node, from + ahead.length, read);
      reading.catch(() => {});
      ahead.push(reading);
    }
  };
  try {
    for (let [before, found] = [after, 0]; ; ) {
      const seq = (before?.seq ?? 0) + 1;
      readOn(seq, 1);
      const unit = await ahead.shift();
      if (unit === undefined) {
        if (await isEnd(vault, node, seq)) return;
        // It was sealed since it was asked for, and so may be those behind it.
        ahead.length = 0;
        continue;
      }
      if (unit.previous !== (before?.sha256 ?? null)) throw damaged(HISTORY.keyOf(node, seq));
      found += 1;
      readOn(seq + 1, Math.min(found, AHEAD));
      yield unit;
      before = unit.cursor;
    }
  } finally {
    // Nobody waits for what is read in vain, and no more of it begins.
    over.abort();
  }
}

/** The vault that a member was filled from may have been put back to an older state since, or to another history. */
export async function refuseOther(vault: Vault, node: string, there: Pick<Cursor, 'seq' | 'sha256'>): Promise<void> {
  if ((await readLink(vault, HISTORY, node, there.seq))?.sha256 !== there.sha256) {
    throw damaged(HISTORY.keyOf(node, there.seq));
  }
}

/** Whether no manifest has this number or a higher one. Rejects with `HistoryDamaged` if it alone is missing. */
async function isEnd(vault: Vault, node: string, seq: number): Promise<boolean> {
  const key = HISTORY.keyOf(node, seq);
  // Itself included: it was asked for when those before it were still on their way.
  for await (const there of vault.list(HISTORY.prefixOf(node), HISTORY.keyOf(node, seq - 1))) {
    if (numberOf(there.key) === undefined) continue;
    // A later one and this one may both have been sealed since.
    if ((await vault.stat(key)) !== undefined) return false;
    throw damaged(key);
  }
  return true;
}

/** Whether it is about what lies in the vault, and so about one chain or one member, and not about the vault at large. */
export const isDamage = (error: unknown): error is LedgerholdError =>
  error instanceof InvalidKey ||
  (error instanceof LedgerholdError && (error.kind === 'violation' || error.kind === 'unknown'));

/** Makes a read in its turn. Rejects once nobody has any use for it. */
type Read = <T>(look: () => Promise<T>) => Promise<T>;

function oneOfFew(over: AbortSignal): Read {
  const limit = pLimit(READS_AT_ONCE);
  return (look) =>
    limit(() => {
      over.throwIfAborted();
      return look();
    });
}

/** Undefined: there is none. */
async function readUnit(vault: Vault, node: string, seq: number, read: Read): Promise<DeliveryUnit | undefined> {
  const signed = await read(() => readSignedLink(vault, HISTORY, node, seq));
  if (signed === undefined) return undefined;
  const { value, key, sha256: digest, bytes } = signed.link;
  if (value.node !== node || value.seq !== seq) throw damaged(key);
  const [agreement, ...records] = await Promise.all([
    read(() => bytesOf(vault, value.agreement)),
    ...value.records.map((each) => read(() => cited(vault, each))),
  ]);
  const files = records.map(({ value: { file } }): Deliverable => {
    return { key: chainFileKey(node, file.name), size: file.size, sha256: file.sha256, kind: 'file' };
  });
  const documents = records.map((record) => documentItem(record.key, record.bytes));
  const items: Deliverable[] = [
    ...files,
    ...documents,
    documentItem(value.agreement.key, agreement),
    { ...documentItem(signatureKey(key, digest), signed.signature), kind: 'seal' },
    { ...documentItem(key, bytes), kind: 'seal' },
  ];
  // Whatever a manifest cites: nothing goes out but what a chain's history consists of.
  const stranger = items.find((item) => !isOfChain(node, item.key));
  if (stranger !== undefined) throw damaged(stranger.key);
  const cursor = { seq: value.seq, sha256: digest, sealedAt: value.sealedAt, block: value.head?.number ?? null };
  const ofThis = items.map((item) => ({ ...item, manifest: value.seq }));
  return { node, cursor, previous: value.previous, signer: value.signer, items: ofThis };
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

async function bytesOf(vault: Vault, { key, sha256: digest }: { key: string; sha256: string }): Promise<Uint8Array> {
  const bytes = await vault.get(key);
  if (bytes !== undefined && sha256(bytes) === digest) return bytes;
  throw damaged(key);
}

const damaged = (key: string): HistoryDamaged =>
  new HistoryDamaged(
    `${key} is missing, or not what was sealed there: nothing is delivered from there on`,
    'Run `ledgerhold verify --all`, and bring back what it names from another copy.',
  );
