import { lstat, mkdir, readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { receiptsOf } from '../vault/deliveries.ts';
import { signatureKey } from '../vault/layout.ts';
import { newestOf, PROOFS, type SignedDocument, signedAfter } from '../vault/member-documents.ts';
import { FileExists, FileNotWritten } from './commands/init.ts';
import { loadConfig } from './context.ts';
import { memberNamed, openRegistry } from './members.ts';
import { writeNew } from './plan-file.ts';
import { signedNouns } from './render/members.ts';
import type { Outcome, Shell } from './shell.ts';
import { UsageError } from './usage-error.ts';

/**
 * A member's receipts, and the proofs by reading, with their signatures, oldest first, to be given to it. Rejects with
 * `NotADocument`.
 */
export async function membersReceipts(
  shell: Shell,
  { out }: { readonly out?: string },
  [id = '']: readonly string[],
): Promise<Outcome> {
  if (out === '')
    throw new UsageError('--out names no folder', 'Name the folder that receipts are to be written into.');
  const registry = await openRegistry(shell, await loadConfig(shell));
  const { vault } = registry;
  const { member } = await memberNamed(registry, id);
  const receipts = (await Array.fromAsync(receiptsOf(vault, member))).reverse();
  const last = await newestOf(vault, PROOFS, member);
  const proofs = await Array.fromAsync(signedAfter(vault, PROOFS, member, { after: 0, last }));
  const folder = out === undefined ? undefined : resolve(shell.cwd, out);
  if (folder !== undefined) {
    await writeAll(folder, receipts);
    if (proofs.length > 0) await writeAll(join(folder, 'proofs'), proofs);
  }
  const delivered = receipts.reduce((sum, { value }) => sum + value.delivered.length, 0);
  const counted = `${receipts.length} receipts of ${member}, of ${delivered} objects, and ${proofs.length} proofs by reading`;
  return {
    exit: 0,
    code: receipts.length === 0 ? 'NO_RECEIPTS' : 'RECEIPTS',
    nouns: {
      ...{ member, receipts: receipts.map(signedNouns), proofs: proofs.map(signedNouns) },
      ...(folder !== undefined && { folder }),
    },
    text: [
      `${counted}${folder === undefined ? '' : `, in ${folder}`}`,
      ...(folder === undefined && receipts.length > 0 ? ['`--out FOLDER` writes them, `--json` prints them'] : []),
    ],
  };
}

/** Byte for byte, under the last parts of their keys; what is there already stays. Rejects like `writeNew`. */
async function writeAll(folder: string, documents: readonly SignedDocument<unknown>[]): Promise<void> {
  await makeFolder(folder).catch((cause: unknown) => {
    throw new FileNotWritten(`${folder} cannot be made`, 'Name another folder with --out.', { cause });
  });
  const files = documents.flatMap(({ key, sha256, bytes, signature }) => [
    { key: signatureKey(key, sha256), bytes: signature },
    { key, bytes },
  ]);
  for (const { key, bytes } of files) {
    const file = join(folder, key.slice(key.lastIndexOf('/') + 1));
    await writeNew(file, bytes).catch(async (error: unknown) => {
      const isFile = error instanceof FileExists && (await lstat(file)).isFile();
      const same = isFile && Buffer.compare(await readFile(file), bytes) === 0;
      if (!same) throw error;
    });
  }
}

/** With those above it. Node's own way to make them goes round for ever where a folder takes none, as `/proc` does. */
async function makeFolder(folder: string): Promise<void> {
  const missing = await mkdir(folder).then(
    () => false,
    async (error: NodeJS.ErrnoException) => {
      if (error.code === 'EEXIST' && (await lstat(folder)).isDirectory()) return false;
      const above = dirname(folder);
      if (error.code !== 'ENOENT' || (await lstat(above).catch(() => undefined)) !== undefined) throw error;
      await makeFolder(above);
      return true;
    },
  );
  if (missing) await mkdir(folder);
}
