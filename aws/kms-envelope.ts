import { createHash } from 'node:crypto';
import { DecryptCommand, GenerateDataKeyCommand, type KMSClient } from '@aws-sdk/client-kms';
import * as z from 'zod';
import { canonicalBytes } from '../core/canonical.ts';
import { LedgerholdError } from '../core/errors.ts';
import type { ByteFilter, Encryption } from '../core/ports.ts';
import { splitHead } from '../io/chunks.ts';
import { CHUNK_BYTES, openStream, type StreamKey, sealStream } from '../io/sealed-stream.ts';
import { callKms, KmsKeyUnusable } from './kms-errors.ts';

/** Every byte is specified in `docs/formats/kms-envelope-v1.md`. */
const MAGIC = 'ledgerhold/kms-envelope/1\n';
const MAX_HEAD_BYTES = 16_384;

type Context = Readonly<Record<string, string>>;

const Header = z.strictObject({
  /** ARN of the KMS key. */
  key: z.string().min(1),
  context: z.record(z.string(), z.string()),
  /** What KMS opens, in base64. */
  dataKey: z.base64().min(1),
  cipher: z.literal('AES-256-GCM'),
  chunkBytes: z.literal(CHUNK_BYTES),
});
type Header = z.infer<typeof Header>;

/** Gives a file's data key, which is zeroed after use. */
export type UnwrapKey = (header: { key: string; context: Context; dataKey: Uint8Array }) => Promise<Uint8Array>;

/** Seals each file with a data key of its own. Rejects with `KmsKeyUnusable` or `KmsUnavailable`. */
export function kmsEnvelope(client: KMSClient, keyArn: string): Encryption {
  return { encoding: 'kms-envelope-v1', filter: (context) => (source) => seal(source, client, keyArn, context) };
}

/**
 * Opens a file, and yields only authenticated bytes. `expected`: what its context must say, such as the node that it is
 * held to be of. Rejects with `EnvelopeDamaged`, or as `unwrap` does.
 */
export function openKmsEnvelope(unwrap: UnwrapKey, expected: Context = {}): ByteFilter {
  return (source) => open(source, unwrap, expected);
}

export function kmsUnwrap(client: KMSClient): UnwrapKey {
  return async ({ key, context, dataKey }) => {
    const command = new DecryptCommand({ KeyId: key, CiphertextBlob: dataKey, EncryptionContext: context });
    const { Plaintext } = await callKms(key, () => client.send(command)).catch(notOurs);
    if (Plaintext === undefined) throw new KmsKeyUnusable(key, 'it gave no data key');
    return Plaintext;
  };
}

/** KMS checks the data key against its own key and the context: either was changed. */
function notOurs(error: unknown): never {
  if (!(error instanceof KmsKeyUnusable) || !CHANGED.includes(error.reason)) throw error;
  throw new EnvelopeDamaged('KMS does not know its data key in this context', { cause: error });
}
const CHANGED = ['InvalidCiphertextException', 'IncorrectKeyException'];

async function* seal(
  source: AsyncIterable<Uint8Array>,
  client: KMSClient,
  keyArn: string,
  context: Context,
): AsyncIterable<Uint8Array> {
  const command = new GenerateDataKeyCommand({ KeyId: keyArn, KeySpec: 'AES_256', EncryptionContext: context });
  const { Plaintext: dataKey, CiphertextBlob, KeyId } = await callKms(keyArn, () => client.send(command));
  if (dataKey === undefined || CiphertextBlob === undefined) throw new KmsKeyUnusable(keyArn, 'it gave no data key');
  try {
    const head = headOf({
      key: KeyId ?? keyArn,
      context,
      dataKey: Buffer.from(CiphertextBlob).toString('base64'),
      cipher: 'AES-256-GCM',
      chunkBytes: CHUNK_BYTES,
    });
    yield head;
    yield* sealStream(source, streamKey(dataKey, head));
  } finally {
    dataKey.fill(0);
  }
}

async function* open(
  source: AsyncIterable<Uint8Array>,
  unwrap: UnwrapKey,
  expected: Context,
): AsyncIterable<Uint8Array> {
  const { head, rest } = await splitHead(source, headLength, MAX_HEAD_BYTES);
  let dataKey: Uint8Array | undefined;
  try {
    if (head === undefined) throw new EnvelopeDamaged('it has no whole header');
    const { key, context, dataKey: wrapped } = readHead(head);
    const other = Object.keys(expected).find((name) => context[name] !== expected[name]);
    if (other !== undefined) throw new EnvelopeDamaged(`it was made for ${other} '${context[other]}'`);
    dataKey = await unwrap({ key, context, dataKey: Buffer.from(wrapped, 'base64') });
    yield* openStream(rest, streamKey(dataKey, head), (why) => new EnvelopeDamaged(why));
  } finally {
    dataKey?.fill(0);
    await rest.return();
  }
}

/** Each chunk is bound to the head, so that no word of it can be changed. */
function streamKey(key: Uint8Array, head: Uint8Array): StreamKey {
  return { cipher: 'aes-256-gcm', key, aad: createHash('sha256').update(head).digest() };
}

const headOf = (header: Header): Buffer =>
  Buffer.concat([Buffer.from(MAGIC), canonicalBytes(header), Buffer.from('\n')]);

/** Two lines. What does not begin with the magic has no head, however long. */
function headLength(seen: Buffer): number | undefined {
  const end = seen.indexOf('\n', MAGIC.length);
  return end === -1 ? undefined : end + 1;
}

function readHead(head: Uint8Array): Header {
  const text = Buffer.from(head).toString();
  if (!text.startsWith(MAGIC)) throw new EnvelopeDamaged('it does not begin as a KMS envelope, version 1');
  let json: unknown;
  try {
    json = JSON.parse(text.slice(MAGIC.length));
  } catch (cause) {
    throw new EnvelopeDamaged('its header is not JSON', { cause });
  }
  const header = Header.safeParse(json);
  if (!header.success) throw new EnvelopeDamaged('its header is not as specified', { cause: header.error });
  return header.data;
}

export class EnvelopeDamaged extends LedgerholdError {
  override readonly name = 'EnvelopeDamaged';
  readonly kind = 'violation';
  constructor(why: string, options?: ErrorOptions) {
    super(`the KMS envelope is damaged: ${why}`, 'Verify the set, and take the file from a second vault.', options);
  }
}
