import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { judge, type Reading } from '../../../core/positions.ts';
import { connectionOf } from '../../../io/postgres/connection.ts';
import { factsOf, restoreDump } from '../../../io/postgres/restore.ts';
import { startThrowawayPostgres, type ThrowawayPostgres } from '../../../io/postgres/server.ts';
import { openSession } from '../../../io/postgres/session.ts';
import { canton } from '../../../protocols/canton/canton.ts';
import { CANTON_ROLES, type CantonRole, recordedFacts } from '../../support/canton-facts.ts';
import { describeWithPostgres } from '../../support/postgres.ts';

const fixtures = process.env['LEDGERHOLD_FIXTURES'];
const inFixtures = fixtures === undefined ? describe.skip : describe;

describeWithPostgres('databases of a recorded network, restored', () => {
  inFixtures(`from its dumps${fixtures === undefined ? ' (LEDGERHOLD_FIXTURES is not set)' : ''}`, () => {
    let server: ThrowawayPostgres;
    const source = () => ({ url: server.url('postgres'), tools: server.tools });
    const options = { environment: process.env };
    const facts = (database: string) => factsOf(source(), database, canton.positions.queries, options);
    const sql = async (database: string, command: string) => {
      const session = await openSession({ ...connectionOf(source()), database }, options);
      await session.run(command);
      await session.close();
    };

    beforeAll(async () => {
      server = await startThrowawayPostgres();
      for (const role of CANTON_ROLES) {
        await sql('postgres', `CREATE DATABASE ${role}`);
        const dump = createReadStream(join(fixtures ?? '', 'canton', `a-${role}.dump`));
        await restoreDump(source(), role, 'pg_dump-custom', dump, options);
      }
    }, 120_000);
    afterAll(() => server?.stop());

    test.each(CANTON_ROLES)('the %s answers by SQL as its dump does', async (role) => {
      expect(await facts(role)).toEqual(recordedFacts('a')[role]);
    });

    test.each<[CantonRole, string, string]>([
      [
        'participant',
        'ALTER TABLE lapi_parameters RENAME TO ledger_parameters',
        'no schema has a table lapi_parameters',
      ],
      ['participant', 'ALTER TABLE lapi_parameters RENAME ledger_end TO head', 'has no column ledger_end'],
      ['participant', 'DROP TABLE common_sequenced_events CASCADE', 'no schema has a table common_sequenced_events'],
      ['participant', 'DELETE FROM common_static_strings', 'does not name synchronizer 2'],
      ['participant', 'DROP TABLE common_node_id CASCADE', 'no schema has a table common_node_id'],
      ['mediator', 'ALTER TABLE common_sequenced_events RENAME ts TO at', 'has no column ts'],
      ['sequencer', 'ALTER TABLE seq_block_height RENAME latest_event_ts TO latest', 'has no column latest_event_ts'],
      ['sequencer', 'DROP TABLE sequencer_watermarks CASCADE', 'no schema has a table sequencer_watermarks'],
      [
        'sequencer',
        'DELETE FROM sequencer_synchronizer_configuration',
        'sequencer_synchronizer_configuration is empty',
      ],
    ])('a %s after %s proves nothing, and says why', async (altered, command, reason) => {
      await sql('postgres', `CREATE DATABASE altered TEMPLATE ${altered}`);
      await sql('altered', command);
      const readings = await Promise.all(
        CANTON_ROLES.map(async (role) => {
          const reading = canton.positions.read(role, await facts(role === altered ? 'altered' : role));
          return { component: role, role, reading: reading as Reading };
        }),
      );
      await sql('postgres', 'DROP DATABASE altered');
      expect(judge({ laws: canton.laws, sameIdentity: [], readings })).toMatchObject({
        status: 'unknown',
        reasons: expect.arrayContaining([expect.stringContaining(reason)]),
      });
    });
  });
});
