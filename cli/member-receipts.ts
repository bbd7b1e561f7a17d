import { mkdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { receiptsOf } from '../vault/deliveries.ts';
import { signatureKey } from '../vault/layout.ts';
import { FileExists, FileNotWritten } from './commands/init.ts';
import { loadConfig } from './context.ts';
import { memberNamed, openRegistry } from './members.ts';
import { writeNew } from './plan-file.ts';
import { type SignedReceipt, signedReceiptNouns } from './render/members.ts';
import type { Outcome, Shell } from './shell.ts';

/** A member's receipts with their signatures, oldest first, to be given to it. Rejects with `NotADocument`. */
export async function membersReceipts(
  shell: Shell,
  { out }: { readonly out?: string },
  [id = '']: readonly string[],
): Promise<Outcome> {
  const registry = await openRegistry(shell, await loadConfig(shell));
  const { member } = await memberNamed(registry, id);
  const receipts: SignedReceipt[] = [];
  for await (const document of receiptsOf(registry.vault, member)) {
    const signature = { key: signatureKey(document.key, document.sha256), bytes: document.signature };
    receipts.unshift({ document, signature });
  }
  const folder = out === undefined ? undefined : resolve(shell.cwd, out);
  if (folder !== undefined) await writeAll(folder, receipts);
  const delivered = receipts.reduce((sum, { document }) => sum + document.value.delivered.length, 0);
  return {
    exit: 0,
    code: receipts.length === 0 ? 'NO_RECEIPTS' : 'RECEIPTS',
    nouns: { member, receipts: receipts.map(signedReceiptNouns), ...(folder !== undefined && { folder }) },
    text: [
      `${receipts.length} receipts of ${member}, of ${delivered} objects${folder === undefined ? '' : `, in ${folder}`}`,
      ...(folder === undefined && receipts.length > 0 ? ['`--out FOLDER` writes them, `--json` prints them'] : []),
    ],
  };
}

/** Byte for byte, under the last parts of their keys; what is there already stays. Rejects like `writeNew`. */
async function writeAll(folder: string, receipts: readonly SignedReceipt[]): Promise<void> {
  await mkdir(folder, { recursive: true }).catch((cause: unknown) => {
    throw new FileNotWritten(`${folder} cannot be made`, 'Name another folder with --out.', { cause });
  });
  const files = receipts.flatMap(({ document, signature }) => [signature, document]);
  for (const { key, bytes } of files) {
    const file = join(folder, key.slice(key.lastIndexOf('/') + 1));
    await writeNew(file, bytes).catch(async (error: unknown) => {
      const same = error instanceof FileExists && Buffer.compare(await readFile(file), bytes) === 0;
      if (!same) throw error;
    });
  }
}
