import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * A folder of PostgreSQL's client programs for a config's `tools`, with a `pg_dump` that does something else; `$REAL` is
 * the real one. `pg_dump --version`, which is asked for first, answers as it should.
 */
export async function standInForPgDump(folder: string, realTools: string, script: string): Promise<string> {
  await mkdir(folder, { recursive: true });
  const text = `#!/bin/sh\nREAL='${realTools}/pg_dump'\ncase "$*" in *--version*) exec "$REAL" "$@" ;; esac\n${script}\n`;
  await writeFile(join(folder, 'pg_dump'), text);
  await chmod(join(folder, 'pg_dump'), 0o755);
  return folder;
}
