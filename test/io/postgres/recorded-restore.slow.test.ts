import { createReadStream, existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type IsolatedServer, isolatedPostgres } from '../../../io/postgres/isolated.ts';
import { canton } from '../../../protocols/canton/canton.ts';
import { describeWithPostgres } from '../../support/postgres.ts';

const folder = join(process.env['LEDGERHOLD_FIXTURES'] ?? '', 'canton');
const describeRecorded = existsSync(join(folder, 'positions.json'))
  ? describeWithPostgres
  : (name: string, tests: () => void) => describe.skip(`${name} (LEDGERHOLD_FIXTURES is not set)`, tests);

describeRecorded('dumps of a real Canton network', () => {
  let server: IsolatedServer;
  let recorded: Record<string, Record<string, { sequenced_events_max_ts_us: number; watermark_max_ts_us: number }>>;
  beforeAll(async () => {
    server = await isolatedPostgres({ environment: process.env });
    recorded = JSON.parse(await readFile(join(folder, 'positions.json'), 'utf8'));
  });
  afterAll(() => server.stop());

  test.each(['a', 'b'].flatMap((set) => ['participant', 'mediator', 'sequencer'].map((role) => [set, role] as const)))(
    'are restored whole, and say what was read from them when they were taken (%s, %s)',
    async (set, role) => {
      const name = `${set}-${role}`;
      const dump = createReadStream(join(folder, `${name}.dump`));
      await server.restore(name, 'pg_dump-custom', dump, { environment: process.env });
      const reading = canton.positions.read(role, await server.facts(name, canton.positions.queries));
      const { sequenced_events_max_ts_us, watermark_max_ts_us } = recorded[set]?.[role] ?? {};
      const counters = reading.status === 'known' ? reading.counters.map(({ value }) => value) : [];
      expect(counters).toContain(String(role === 'sequencer' ? watermark_max_ts_us : sequenced_events_max_ts_us));
    },
  );
});
