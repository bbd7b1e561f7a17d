import { randomBytes } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync, zstdDecompressSync } from 'node:zlib';

/** Random and of letters and digits, so that no escaping changes it; 48 bytes. */
export const sentinel = (): string => `Sentinel${randomBytes(20).toString('hex')}`;

/** Finds which of the secrets are in some bytes: as they are, as hexadecimal digits, as base64 at any offset. */
export function finder(secrets: ReadonlyMap<string, string>): (bytes: Buffer) => string[] {
  const forms = [...secrets].map(([name, secret]) => [name, formsOf(Buffer.from(secret))] as const);
  const namesIn = (bytes: Buffer) =>
    forms.filter(([, all]) => all.some((form) => bytes.includes(form))).map(([name]) => name);
  return (bytes) => [...new Set([bytes, ...unpacked(bytes)].flatMap(namesIn))];
}

function formsOf(secret: Buffer): Buffer[] {
  const hex = secret.toString('hex');
  // Digits at either end depend on what stands beside the secret.
  const base64 = [0, 1, 2].map((shift) =>
    Buffer.concat([Buffer.alloc(shift), secret])
      .toString('base64')
      .slice(4, -4),
  );
  return [secret, ...[hex, hex.toUpperCase(), ...base64].map((form) => Buffer.from(form))];
}

/** What is only compressed is as good as clear. */
function unpacked(bytes: Buffer): Buffer[] {
  try {
    if (bytes.subarray(0, 4).toString('hex') === '28b52ffd') return [zstdDecompressSync(bytes)];
    if (bytes.subarray(0, 2).toString('hex') === '1f8b') return [gunzipSync(bytes)];
  } catch {
    // Not whole yet, or not what it looks like: searched as it is.
  }
  return [];
}

/** Regular files below a folder: pipes and sockets would keep a reader waiting. One that goes meanwhile is left out. */
export async function readAll(folder: string): Promise<{ name: string; bytes: Buffer }[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const read = files.map(async (name) => ({ name, bytes: await readFile(name).catch(() => Buffer.alloc(0)) }));
  return Promise.all(read);
}
