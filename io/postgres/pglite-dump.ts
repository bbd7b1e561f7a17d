import type { PGlite } from '@electric-sql/pglite';
import { pgDump } from '@electric-sql/pglite-tools/pg_dump';
import { Instant } from '../../core/names.ts';
import type { Captured } from '../../core/receipts.ts';
import type { DumpOptions } from './dump.ts';
import { readDump } from './dump-reader.ts';

/** What `Artifact.content` says of these dumps. */
export const PLAIN_DUMP = 'pg_dump-plain';

/** Rows must name their columns: readers take nothing for granted. */
const DUMP_ARGS = ['--column-inserts'];

export type PgliteDumpOptions = Pick<DumpOptions, 'readPositions' | 'store' | 'clock' | 'onProgress'>;

/**
 * Takes the dump of a PostgreSQL in this process, with its positions read from the dump itself: there is one connection
 * only, so no snapshot can be held beside it. The dump is in memory as a whole. Nothing else may use `database`
 * meanwhile. Rejects with `DumpDamaged`, or what `readPositions` or `store` reject with.
 */
export async function dumpPglite(database: PGlite, options: PgliteDumpOptions): Promise<Captured> {
  const startedAt = Instant.parse(options.clock.now().toISOString());
  const file = await pgDump({ pg: database, args: [...DUMP_ARGS] });
  // The one connection is still in pg_dump's transaction, with its settings.
  await database.exec('ROLLBACK; RESET ALL');
  const bytes = new Uint8Array(await file.arrayBuffer());
  const { summary } = await readDump(PLAIN_DUMP, once(bytes));
  const reading = await options.readPositions(
    async (queries) => (await readDump(PLAIN_DUMP, once(bytes), queries)).facts,
  );
  options.onProgress?.({ bytes: bytes.length, of: bytes.length });
  const artifact = await options.store(once(bytes));
  const versions = { server: `PGlite ${summary.serverVersion}`, pg_dump: summary.dumpVersion ?? 'unknown' };
  const endedAt = Instant.parse(options.clock.now().toISOString());
  return { startedAt, endedAt, artifacts: [artifact], reading, versions, notes: {} };
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array, void> {
  yield bytes;
}
