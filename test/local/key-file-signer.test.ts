import { spawnSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { fingerprintOf, verifySignature } from '../../io/signatures.ts';
import { createKeyFile, KeyFileExposed, KeyFileUnusable, keyFileSigner } from '../../local/key-file-signer.ts';
import { failureOf, said } from '../support/said.ts';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'signer-'));
  path = join(folder, 'key.pem');
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('createKeyFile', () => {
  test('writes a key that only its owner can read, and gives the public half', async () => {
    const publicKey = await createKeyFile(path);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(await (await keyFileSigner(path)).fingerprint()).toBe(fingerprintOf(publicKey));
  });

  test('never overwrites', async () => {
    await createKeyFile(path);
    const before = readFileSync(path);
    await expect(createKeyFile(path)).rejects.toThrow(KeyFileUnusable);
    expect(readFileSync(path)).toEqual(before);
  });
});

describe('keyFileSigner', () => {
  test.each(['pkcs8', 'sec1'] as const)('signs with a key in %s', async (type) => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
    writeFileSync(path, privateKey.export({ type, format: 'pem' }), { mode: 0o600 });
    const signer = await keyFileSigner(path);
    const bytes = Buffer.from('a manifest');
    expect(verifySignature(await signer.publicKeyPem(), bytes, await signer.sign(bytes))).toBe(true);
    expect(await signer.fingerprint()).toBe(fingerprintOf(await signer.publicKeyPem()));
  });

  test.each([0o640, 0o604, 0o620])('refuses a key of mode %o', async (mode) => {
    await createKeyFile(path);
    chmodSync(path, mode);
    await expect(keyFileSigner(path)).rejects.toThrow(KeyFileExposed);
  });

  test('refuses what is no key of its kind, without a word of what it holds', async () => {
    const rsa = generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey.export({ type: 'pkcs8', format: 'pem' });
    const cut = readFileSync((await createKeyFile(path), path), 'utf8').replace(/.{20}\n-----END/, '\n-----END');
    for (const content of ['', 'MIGHAgEAMBMGByqGSM49AgEG-secret', rsa.toString(), cut, 'x'.repeat(20_000)]) {
      writeFileSync(path, content);
      const error = await failureOf(keyFileSigner(path));
      expect(error).toBeInstanceOf(KeyFileUnusable);
      if (content.length > 0) expect(said(error)).not.toContain(content.slice(60, 90) || content);
    }
    await expect(keyFileSigner(join(folder, 'absent.pem'))).rejects.toThrow('ENOENT');
  });
});

const hasOpenssl = spawnSync('openssl', ['version']).status === 0;
const withOpenssl = hasOpenssl ? describe : describe.skip;

withOpenssl(`openssl alone${hasOpenssl ? '' : ' (skipped: no openssl)'}`, () => {
  test('checks what was signed', async () => {
    const publicKey = await createKeyFile(path);
    const file = (name: string, content: string | Uint8Array) => {
      writeFileSync(join(folder, name), content);
      return join(folder, name);
    };
    const [manifest, key] = [file('manifest', 'bytes'), file('public.pem', publicKey)];
    const signature = file('sig', await (await keyFileSigner(path)).sign(Buffer.from('bytes')));
    const { stdout } = spawnSync('openssl', ['dgst', '-sha256', '-verify', key, '-signature', signature, manifest]);
    expect(stdout.toString()).toBe('Verified OK\n');
  });
});
