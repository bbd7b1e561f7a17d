import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** What stands in `toy-client.ts` beside the fakes, as a program in `folder`, and what it was asked to do. */
export async function toyClient(folder: string) {
  const binary = join(folder, 'toy-geth');
  const script = join(import.meta.dirname, '../fakes/toy-client.ts');
  await writeFile(binary, `#!/bin/sh\nexec '${process.execPath}' '${script}' "$@"\n`);
  await chmod(binary, 0o755);
  const log = join(folder, 'toy.log');
  await writeFile(log, '');
  const verbs = async () => (await readFile(log, 'utf8')).split('\n').filter((line) => line !== '');
  return { binary, environment: { TOY_LOG: log }, verbs };
}
