import { hkdfSync, randomBytes } from 'node:crypto';
import { Decrypter, Encrypter, generateX25519Identity, identityToRecipient } from 'age-encryption';
import { LedgerholdError } from '../core/errors.ts';
import type { ByteFilter, Encryption } from '../core/ports.ts';
import { splitHead } from './chunks.ts';
import { openStream, type StreamKey, sealStream } from './sealed-stream.ts';

/**
 * The age format, version 1 (age-encryption.org/v1, C2SP). Keys and header are made by the format's own library; the
 * payload by `node:crypto`, since the library's cipher in JavaScript is several times slower.
 */
const NONCE_BYTES = 16;
/** What the library writes for no plaintext, after the header: a nonce and one tag. */
const EMPTY_PAYLOAD_BYTES = NONCE_BYTES + 16;
/** Room for some forty post-quantum recipients. */
const MAX_HEADER_BYTES = 65_536;

/**
 * Encrypts to each of the recipients (`age1…`); any one of their identities opens it.
 * Throws `InvalidRecipient`, here and not when the first byte comes.
 */
export function ageEncryption(recipients: readonly string[]): Encryption {
  if (recipients.length === 0) throw new InvalidRecipient('no recipient is given to encrypt to');
  for (const recipient of recipients) addRecipient(new Encrypter(), recipient);
  return { encoding: 'age', filter: () => (source) => encrypt(source, recipients) };
}

/**
 * Opens what was encrypted to any identity in the text of an age identity file (one a line, `#` starts a comment).
 * Throws `InvalidIdentity`; the filter throws `WrongIdentity` or `AgeDamaged`, and yields only authenticated bytes.
 */
export function ageDecryption(identityFile: string): ByteFilter {
  const lines = identityFile.split('\n').map((line) => line.trim());
  const identities = lines.filter((line) => line !== '' && !line.startsWith('#'));
  if (identities.length === 0) throw new InvalidIdentity('it holds no identity');
  for (const identity of identities) addIdentity(new Decrypter(), identity);
  return (source) => decrypt(source, identities);
}

/** A fresh key pair; `identity` is the secret half. */
export async function ageIdentity(): Promise<{ readonly identity: string; readonly recipient: string }> {
  const identity = await generateX25519Identity();
  return { identity, recipient: await identityToRecipient(identity) };
}

async function* encrypt(source: AsyncIterable<Uint8Array>, recipients: readonly string[]): AsyncIterable<Uint8Array> {
  const { header, fileKey } = await newHeader(recipients);
  const nonce = randomBytes(NONCE_BYTES);
  const stream = payloadKey(fileKey, nonce);
  try {
    yield Buffer.concat([header, nonce]);
    yield* sealStream(source, stream);
  } finally {
    stream.key.fill(0);
  }
}

async function* decrypt(source: AsyncIterable<Uint8Array>, identities: readonly string[]): AsyncIterable<Uint8Array> {
  const { head, rest } = await splitHead(source, headLength, MAX_HEADER_BYTES);
  let stream: StreamKey | undefined;
  const damaged = (why: string) => new AgeDamaged(why);
  try {
    if (head === undefined) throw damaged('it has no whole header');
    const headerEnd = head.length - NONCE_BYTES;
    const fileKey = await openHeader(head.subarray(0, headerEnd), identities);
    stream = payloadKey(fileKey, head.subarray(headerEnd));
    yield* openStream(rest, stream, damaged);
  } finally {
    stream?.key.fill(0);
    // Closes the source if the header was refused; does nothing once all has been read.
    await rest.return();
  }
}

/** Header and nonce: the line that starts with `---` ends the header. */
function headLength(seen: Buffer): number | undefined {
  const mac = seen.indexOf('\n--- ');
  const end = mac === -1 ? -1 : seen.indexOf('\n', mac + 1);
  return end === -1 ? undefined : end + 1 + NONCE_BYTES;
}

/** The library picks the file key and shows it to each recipient: one more of them, with no stanza of its own, keeps it. */
async function newHeader(recipients: readonly string[]): Promise<{ header: Uint8Array; fileKey: Uint8Array }> {
  const encrypter = new Encrypter();
  const kept: { fileKey?: Uint8Array } = {};
  for (const recipient of recipients) addRecipient(encrypter, recipient);
  encrypter.addRecipient({
    wrapFileKey: (fileKey) => {
      kept.fileKey = fileKey;
      return [];
    },
  });
  const empty = await encrypter.encrypt(new Uint8Array(0));
  if (kept.fileKey === undefined) throw new TypeError('age-encryption did not show the file key to a recipient');
  return { header: empty.subarray(0, -EMPTY_PAYLOAD_BYTES), fileKey: kept.fileKey };
}

async function openHeader(header: Uint8Array, identities: readonly string[]): Promise<Uint8Array> {
  const decrypter = new Decrypter();
  for (const identity of identities) addIdentity(decrypter, identity);
  let unmatched = false;
  // Asked last, so only when none of the others fits.
  decrypter.addIdentity({
    unwrapFileKey: () => {
      unmatched = true;
      return null;
    },
  });
  try {
    return await decrypter.decryptHeader(header);
  } catch (cause) {
    if (unmatched) throw new WrongIdentity(identities.length);
    throw new AgeDamaged('its header is not as it was written', { cause });
  }
}

/** Zeroes the file key, which nothing needs any more. */
function payloadKey(fileKey: Uint8Array, nonce: Uint8Array): StreamKey {
  const key = new Uint8Array(hkdfSync('sha256', fileKey, nonce, 'payload', 32));
  fileKey.fill(0);
  return { cipher: 'chacha20-poly1305', key };
}

function addRecipient(encrypter: Encrypter, recipient: string): void {
  try {
    encrypter.addRecipient(recipient);
  } catch {
    // No cause, and no quote of what may be an identity given by mistake: the library's messages hold the text.
    const what = recipient.startsWith('age1') ? `'${recipient}'` : 'a text that does not start with age1';
    throw new InvalidRecipient(`${what} is not an age recipient`);
  }
}

function addIdentity(decrypter: Decrypter, identity: string): void {
  try {
    decrypter.addIdentity(identity);
  } catch {
    // No cause: the library's messages quote the secret.
    throw new InvalidIdentity('it holds a line that is no age identity');
  }
}

export class InvalidRecipient extends LedgerholdError {
  override readonly name = 'InvalidRecipient';
  readonly kind = 'usage';
  constructor(message: string) {
    super(message, 'Set encryption.recipients to public keys as `age-keygen -y identity.txt` prints them (age1…).');
  }
}

export class InvalidIdentity extends LedgerholdError {
  override readonly name = 'InvalidIdentity';
  readonly kind = 'usage';
  constructor(why: string) {
    super(
      `the identity file cannot be used: ${why}`,
      'Give a file as `age-keygen` writes it: a line that starts with AGE-SECRET-KEY-1, not protected by a passphrase.',
    );
  }
}

/** A damaged header can look the same: whether the file is whole, its digest tells. */
export class WrongIdentity extends LedgerholdError {
  override readonly name = 'WrongIdentity';
  readonly kind = 'usage';
  constructor(count: number) {
    super(
      `none of the ${count} identities given opens this file`,
      'Give an identity whose recipient the config named when the backup was taken; verify the set if it is the one.',
    );
  }
}

export class AgeDamaged extends LedgerholdError {
  override readonly name = 'AgeDamaged';
  readonly kind = 'violation';
  constructor(why: string, options?: ErrorOptions) {
    super(`the age file is damaged: ${why}`, 'Verify the set, and take the file from a second vault.', options);
  }
}
