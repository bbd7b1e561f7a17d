import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Client } from 'pg';
import { type DemoNetwork, demoNetwork } from '../support/demo-network.ts';
import { describeWithPostgres } from '../support/postgres.ts';

const run = promisify(execFile);

describeWithPostgres('the causal load', () => {
  let network: DemoNetwork;
  let folder: string;
  beforeAll(async () => {
    network = await demoNetwork();
    folder = await mkdtemp(join(tmpdir(), 'ledgerhold-test-'));
  });
  afterAll(async () => {
    await network.stop();
    await rm(folder, { recursive: true });
  });

  /** Dumps a database and returns the value which its only COPY of `table` begins or ends with. */
  const dumped = async (url: string, table: string): Promise<string[]> => {
    const file = join(folder, table);
    await run(join(network.server.tools, 'pg_dump'), ['-Fc', '-Z0', '-f', file, '-d', url]);
    const { stdout } = await run(join(network.server.tools, 'pg_restore'), ['-a', '-t', table, '-f', '-', file]);
    return /FROM stdin;\n(.*)\n/.exec(stdout)?.[1]?.split('\t') ?? [];
  };
  const ingested = async () => BigInt(`0x${(await dumped(network.appUrl, 'store_last_ingested_offsets'))[2]}`);
  const ledgerEnd = async () => BigInt(String((await dumped(network.participantUrl, 'lapi_parameters'))[0]));

  test('never lets an ordered pair of dumps break the law', async () => {
    for (let pair = 0; pair < 5; pair += 1) {
      const app = await ingested();
      await network.load.until(network.load.ingested + 1n);
      expect(await ledgerEnd()).toBeGreaterThanOrEqual(app);
    }
  });

  test('breaks the law in a reversed pair with an ingestion in between', async () => {
    for (let pair = 0; pair < 5; pair += 1) {
      const end = await ledgerEnd();
      await network.load.until(network.load.ingested + 1n);
      expect(await ingested()).toBeGreaterThan(end);
    }
  });
});

describeWithPostgres('a causal load whose database goes away', () => {
  test('says so to whoever waits', async () => {
    const network = await demoNetwork();
    const admin = new Client({ connectionString: network.server.url('postgres') });
    await admin.connect();
    await admin.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'validator'`);
    await admin.end();
    await expect(network.load.until(10n ** 9n)).rejects.toThrow(/connection/i);
    await expect(network.stop()).rejects.toThrow(/connection/i);
  });
});
