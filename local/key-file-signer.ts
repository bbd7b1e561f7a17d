import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { LedgerholdError } from '../core/errors.ts';
import type { Signer } from '../core/ports.ts';
import { fingerprintOf, isP256 } from '../io/signatures.ts';

/** A key is 241 bytes of PEM; whatever is longer is another file. */
const MAX_PEM_BYTES = 16_384;

/**
 * Signs with an ECDSA P-256 key in a PEM file (PKCS#8 or SEC1, not encrypted) that nobody but its owner can read.
 * The file is read once, here. Rejects with `KeyFileUnusable` or `KeyFileExposed`.
 */
export async function keyFileSigner(path: string): Promise<Signer> {
  const privateKey = parse(path, await readPrivately(path));
  const publicKeyPem = createPublicKey(privateKey).export({ type: 'spki', format: 'pem' }).toString();
  const fingerprint = fingerprintOf(publicKeyPem);
  return {
    fingerprint: async () => fingerprint,
    publicKeyPem: async () => publicKeyPem,
    sign: async (bytes) => sign('sha256', bytes, { key: privateKey, dsaEncoding: 'der' }),
  };
}

/** Writes a new key, mode 0600, durably, to a path that is free, and gives its public half (PEM). Else `KeyFileUnusable`. */
export async function createKeyFile(path: string): Promise<string> {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const file = await openOr(path, 'wx', 0o600);
  try {
    await file.writeFile(privateKey.export({ type: 'pkcs8', format: 'pem' }));
    await file.sync();
  } finally {
    await file.close();
  }
  return publicKey.export({ type: 'spki', format: 'pem' }).toString();
}

async function readPrivately(path: string): Promise<string> {
  const file = await openOr(path, 'r');
  try {
    const { mode, size } = await file.stat();
    // On Windows the mode says nothing about who may read.
    if ((mode & 0o077) !== 0 && process.platform !== 'win32') throw new KeyFileExposed(path, mode);
    if (size > MAX_PEM_BYTES) throw new KeyFileUnusable(path, `it has ${size} bytes, more than a key`);
    return await file.readFile('utf8');
  } finally {
    await file.close();
  }
}

async function openOr(path: string, flags: string, mode?: number): Promise<FileHandle> {
  try {
    return await open(path, flags, mode);
  } catch (cause) {
    throw new KeyFileUnusable(path, (cause as NodeJS.ErrnoException).code ?? 'it cannot be opened', { cause });
  }
}

function parse(path: string, pem: string): KeyObject {
  let key: KeyObject;
  try {
    key = createPrivateKey(pem);
  } catch {
    // No cause: what it says is of the key's bytes.
    throw new KeyFileUnusable(path, 'it is not a private key in PEM without a passphrase');
  }
  if (!isP256(key)) throw new KeyFileUnusable(path, 'its key is not ECDSA P-256');
  return key;
}

export class KeyFileUnusable extends LedgerholdError {
  override readonly name = 'KeyFileUnusable';
  readonly kind = 'usage';
  constructor(path: string, why: string, options?: ErrorOptions) {
    super(
      `the signing key file ${path} cannot be used: ${why}`,
      'Set signing.keyFile to a key made by `openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out FILE`.',
      options,
    );
  }
}

/** Who can read the key can forge a set. */
export class KeyFileExposed extends LedgerholdError {
  override readonly name = 'KeyFileExposed';
  readonly kind = 'usage';
  constructor(path: string, mode: number) {
    super(
      `the signing key file ${path} has mode ${(mode & 0o777).toString(8)}: others than its owner can reach it`,
      `Run \`chmod 600 ${path}\`; if strangers had access to it, make a new key.`,
    );
  }
}
