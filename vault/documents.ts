import type * as z from 'zod';
import { canonicalBytes } from '../core/canonical.ts';
import { LedgerholdError } from '../core/errors.ts';
import type { Sha256 } from '../core/names.ts';
import type { Signer } from '../core/ports.ts';
import type { Vault } from '../core/vault.ts';
import { sha256 } from '../io/digest.ts';
import { signatureKey } from './layout.ts';

/** A document's value with the digest of the very bytes it was read from. */
export interface Document<T> {
  readonly key: string;
  readonly value: T;
  readonly bytes: Uint8Array;
  readonly sha256: Sha256;
}

/** The bytes are not a document that this version wrote: damaged, or not ours. */
export class NotADocument extends LedgerholdError {
  override readonly name = 'NotADocument';
  readonly kind = 'violation';
}

/** The document says it is of a version that this software does not know. */
export class UnknownFormat extends LedgerholdError {
  override readonly name = 'UnknownFormat';
  readonly kind = 'unknown';
}

/** Absent: undefined. Present but unreadable: `NotADocument` or `UnknownFormat`, never a default. */
export async function readDocument<S extends z.ZodType>(
  vault: Vault,
  key: string,
  schema: S,
): Promise<Document<z.infer<S>> | undefined> {
  const bytes = await vault.get(key);
  return bytes === undefined
    ? undefined
    : { key, bytes, sha256: sha256(bytes), value: parseDocument(key, bytes, schema) };
}

export function parseDocument<S extends z.ZodType>(key: string, bytes: Uint8Array, schema: S): z.infer<S> {
  const json = parseJson(key, bytes);
  const parsed = schema.safeParse(json);
  if (!parsed.success) {
    refuseUnknownFormat(key, json, schema);
    const issue = parsed.error.issues[0];
    const where = issue === undefined ? '' : ` at ${issue.path.join('.') || 'its root'}: ${issue.message}`;
    throw new NotADocument(
      `${key} is not a valid document${where}`,
      'Compare the object with another copy of the vault.',
    );
  }
  if (Buffer.compare(canonicalBytes(json), bytes) !== 0) {
    throw new NotADocument(`${key} is not in canonical form`, 'Compare the object with another copy of the vault.');
  }
  return parsed.data;
}

function parseJson(key: string, bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    // The parser's own message quotes the document, which may be anything: it is left out on purpose.
    throw new NotADocument(`${key} is not JSON in UTF-8`, 'Compare the object with another copy of the vault.');
  }
}

/** `ledgerhold/<kind>/<n>` of our kind but another number: written by a newer version, not damaged. */
function refuseUnknownFormat(key: string, json: unknown, schema: z.ZodType): void {
  const format = typeof json === 'object' && json !== null && 'format' in json ? json.format : undefined;
  const shape = 'shape' in schema ? (schema.shape as { format?: { value?: unknown } }) : {};
  const ours = shape.format?.value;
  if (typeof format !== 'string' || typeof ours !== 'string' || format === ours) return;
  const kind = ours.slice(0, ours.lastIndexOf('/') + 1);
  if (!format.startsWith(kind) || !/^\d+$/.test(format.slice(kind.length))) return;
  throw new UnknownFormat(
    `${key} is of format ${format}; this version reads ${ours}`,
    'Use a newer version of ledgerhold.',
  );
}

/** Writes a document once. Resolves to false, and writes nothing, if the key is taken. */
export async function putDocument(
  vault: Vault,
  key: string,
  value: unknown,
): Promise<{ won: boolean; sha256: Sha256 }> {
  const bytes = canonicalBytes(value);
  return { won: await vault.putOnce(key, bytes), sha256: sha256(bytes) };
}

/**
 * Writes the signature first and the document last, so that a document is never seen without its signature; the
 * signature's name holds the digest, so that one left by a crash is in nobody's way.
 */
export async function putSigned(
  vault: Vault,
  signer: Signer,
  key: string,
  value: unknown,
): Promise<{ won: boolean; sha256: Sha256 }> {
  const bytes = canonicalBytes(value);
  const digest = sha256(bytes);
  await vault.putOnce(signatureKey(key, digest), await signer.sign(bytes));
  return { won: await vault.putOnce(key, bytes), sha256: digest };
}
