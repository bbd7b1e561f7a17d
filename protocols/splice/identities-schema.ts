import * as z from 'zod';
import { canonicalBytes, type Digest } from '../../core/canonical.ts';
import type { Sha256 } from '../../core/names.ts';

/** Strict: what decodes to bytes and encodes to the same text. The bytes may be a key, so they are zeroed. */
function isBase64(text: string): boolean {
  const bytes = Buffer.from(text, 'base64');
  const same = bytes.length > 0 && bytes.toString('base64') === text;
  bytes.fill(0);
  return same;
}

const Base64 = z.string().refine(isBase64);
const PlainKey = z.object({ keyPair: Base64, name: z.string().optional() });
const KmsKey = z.object({
  type: z.enum(['signing', 'encryption']),
  keyId: z.string().min(1),
  name: z.string().optional(),
});

/** `NodeIdentitiesDump` of Splice's OpenAPI (validator-internal, 0.3 to 0.7). Fields it does not know are passed over. */
const IdentitiesDump = z.object({
  id: z.string().regex(/^PAR::.+::1220[0-9a-f]{64}$/),
  keys: z.array(z.union([PlainKey, KmsKey])).min(1),
  authorizedStoreSnapshot: Base64,
  version: z.string().max(100).optional(),
});
type IdentitiesDump = z.infer<typeof IdentitiesDump>;

/** A participant signs its namespace, signs messages, and is encrypted to: a key for each, named by its end. */
const PURPOSES = ['namespace', 'signing', 'encryption'] as const;

/** The smallest real dump seen has 2.5 kB. */
const MIN_BYTES = 1024;

/** What may be told of a dump. */
export interface IdentitiesFacts {
  readonly id: string;
  /** `plaintext`: who has the dump is the participant. `kms`: it is worth nothing without the KMS keys it names. */
  readonly class: 'plaintext' | 'kms';
  readonly keys: number;
  /** KMS ids of the keys, sorted. */
  readonly kmsKeys: readonly string[];
  /** Over id and keys only: `authorizedStoreSnapshot` differs from call to call. */
  readonly fingerprint: Sha256;
  readonly version: string | undefined;
}

/** Reads a dump; `refuse` gets a reason without a word of the body. */
export function readIdentities(body: Uint8Array, digest: Digest, refuse: (why: string) => never): IdentitiesFacts {
  const dump = parse(body, refuse);
  const plain = dump.keys.filter((key) => 'keyPair' in key).length;
  if (plain !== 0 && plain !== dump.keys.length) refuse('some of its keys are in clear and some in KMS');
  const missing = missingPurposes(dump.keys);
  if (missing.length > 0) refuse(`it has no key for ${missing.join(', ')}`);
  return {
    id: dump.id,
    class: plain === 0 ? 'kms' : 'plaintext',
    keys: dump.keys.length,
    kmsKeys: dump.keys.flatMap((key) => ('keyId' in key ? [key.keyId] : [])).toSorted(),
    fingerprint: fingerprint(dump, digest),
    version: dump.version,
  };
}

function parse(body: Uint8Array, refuse: (why: string) => never): IdentitiesDump {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch {
    // Without its message: a parser's error quotes the document.
    refuse(/^\s*</.test(Buffer.from(body.subarray(0, 100)).toString('latin1')) ? 'it is HTML' : 'it is not JSON');
  }
  const parsed = IdentitiesDump.safeParse(json);
  if (!parsed.success) refuse(`its field ${fieldOf(parsed.error)} is missing or not as specified`);
  if (body.length < MIN_BYTES) refuse(`it has only ${body.length} bytes`);
  return parsed.data;
}

/** The path alone: names of the specification and positions, never a value. */
function fieldOf(error: z.ZodError): string {
  const path = error.issues[0]?.path ?? [];
  return path.length === 0 ? 'at the top' : path.join('.');
}

/** A key whose name tells no purpose may be for any. */
function missingPurposes(keys: IdentitiesDump['keys']): string[] {
  const named = keys.map(({ name }) => PURPOSES.find((purpose) => new RegExp(`(?:^|-)${purpose}$`).test(name ?? '')));
  const missing = PURPOSES.filter((purpose) => !named.includes(purpose));
  const untold = named.filter((purpose) => purpose === undefined).length;
  return missing.length > untold ? missing : [];
}

function fingerprint({ id, keys }: IdentitiesDump, digest: Digest): Sha256 {
  const sorted = keys.map((key) => Buffer.from(canonicalBytes(key)).toString()).toSorted();
  const bytes = canonicalBytes({ id, keys: sorted });
  const result = digest(bytes);
  bytes.fill(0);
  return result;
}
