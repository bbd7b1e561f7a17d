import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { ByteFilter } from '../core/ports.ts';
import { ageDecryption } from '../io/age.ts';
import { loadConfig, openSigner } from './context.ts';
import type { Shell } from './shell.ts';
import { UsageError } from './usage-error.ts';

export interface TrustFlags {
  readonly vault?: string;
  readonly publicKey?: readonly string[];
}

export const PUBLIC_KEY_OPTION = [
  '--public-key <file...>',
  'PEM of the key that signs, from outside the vault; default: that of the config’s `signing`',
] as const;

export const IDENTITY_OPTION = ['--identity <file>', 'age identity that opens what is encrypted'] as const;

/**
 * Keys to trust, in PEM: those named, else the config's own signer, which lies outside the vault too. With `--vault` and
 * no `--public-key` there is none, and nothing can be proved.
 */
export async function publicKeysMeant(shell: Shell, { vault, publicKey }: TrustFlags): Promise<string[]> {
  if (publicKey !== undefined) return Promise.all(publicKey.map((file) => readText(shell, file)));
  if (vault !== undefined) return [];
  return [await (await openSigner(await loadConfig(shell))).publicKeyPem()];
}

/** What opens encrypted artifacts; undefined where no identity was named. */
export async function decryptionMeant(shell: Shell, identity: string | undefined): Promise<ByteFilter | undefined> {
  return identity === undefined ? undefined : ageDecryption(await readText(shell, identity));
}

async function readText({ cwd }: Shell, file: string): Promise<string> {
  try {
    return await readFile(resolve(cwd, file), 'utf8');
  } catch (cause) {
    throw new UsageError(`${file} cannot be read`, 'Give the path of a file that exists and that you may read.', {
      cause,
    });
  }
}
