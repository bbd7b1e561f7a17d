import { execFile } from 'node:child_process';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type DatabaseServer, openDatabaseServer } from '../../../io/postgres/database-server.ts';
import { factsOf, restoreDump } from '../../../io/postgres/restore.ts';
import { startThrowawayPostgres, type ThrowawayPostgres } from '../../../io/postgres/server.ts';
import { connectTo } from '../../support/demo-network.ts';
import { describeWithPostgres } from '../../support/postgres.ts';

const run = promisify(execFile);
const options = { environment: process.env };

describeWithPostgres('a database restored from its dump', () => {
  let server: ThrowawayPostgres;
  let databases: DatabaseServer;
  let folder: string;
  let dump: Buffer;
  beforeAll(async () => {
    server = await startThrowawayPostgres();
    databases = await openDatabaseServer({ url: server.url('gone') }, options);
    folder = await mkdtemp(join(tmpdir(), 'ledgerhold-test-'));
    await databases.create('origin', 'none');
    const client = await connectTo(server.url('origin'));
    await client.query('CREATE ROLE stranger');
    await client.query('CREATE TABLE thing (id int PRIMARY KEY, name text)');
    await client.query(`INSERT INTO thing SELECT i, repeat('x', 1000) FROM generate_series(1, 2000) i`);
    await client.query('ALTER TABLE thing OWNER TO stranger');
    await client.end();
    dump = await dumped('origin', '-Fc', '-Z0');
  });
  afterAll(async () => {
    await databases.close();
    await server.stop();
    await rm(folder, { recursive: true });
  });

  const dumped = async (database: string, ...args: string[]): Promise<Buffer> => {
    const settings = { encoding: 'buffer', maxBuffer: 64_000_000 } as const;
    const { stdout } = await run(join(server.tools, 'pg_dump'), [...args, '-d', server.url(database)], settings);
    return stdout;
  };
  const pieces = async function* (bytes: Uint8Array, size = 10_000) {
    for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
  };
  const source = () => ({ url: server.url('gone') });
  const largest = { table: 'thing', columns: [], max: 'id' };
  const things = async (database: string) => (await factsOf(source(), database, [largest], options)).thing;

  test.each([
    ['pg_dump-custom', ['-Fc', '-Z0']],
    ['pg_dump-custom', ['-Fc', '-Z9']],
    ['pg_dump-plain', ['-Fp']],
  ])('has the rows, and belongs to who restored it (%s %s)', async (content, args) => {
    const name = `copy${args.join('')}`;
    await databases.create(name, 'origin');
    let read = 0;
    const bytes = await dumped('origin', ...args);
    const from =
      content === 'pg_dump-plain' ? Buffer.from(bytes.toString().replace(/^ALTER TABLE.*OWNER.*$/gm, '')) : bytes;
    await restoreDump(source(), name, content, pieces(from), { ...options, onBytes: (n) => (read = n) });
    expect(read).toBe(from.length);
    expect(await things(name)).toEqual([{ schema: 'public', status: 'rows', rows: [{ id: '2000' }] }]);
    const client = await connectTo(server.url(name));
    expect((await client.query(`SELECT tableowner FROM pg_tables WHERE tablename = 'thing'`)).rows).toEqual([
      { tableowner: 'postgres' },
    ]);
    await client.end();
  });

  test.each([
    ['pg_dump-custom', ['-Fc', '-Z0']],
    ['pg_dump-plain', ['-Fp', '--no-owner']],
  ])('belongs to the role that was named (%s)', async (content, args) => {
    const name = `given-${content}`;
    const client = await connectTo(server.url('origin'));
    await client.query(`CREATE DATABASE "${name}" OWNER stranger`);
    await client.end();
    const from = pieces(await dumped('origin', ...args));
    await restoreDump(source(), name, content, from, { ...options, owner: 'stranger' });
    const restored = await connectTo(server.url(name));
    expect((await restored.query(`SELECT tableowner FROM pg_tables WHERE tablename = 'thing'`)).rows).toEqual([
      { tableowner: 'stranger' },
    ]);
    await restored.end();
  });

  test('is told apart from half of one: a cut dump fails', async () => {
    await databases.create('half', 'origin');
    const half = pieces(dump.subarray(0, dump.length / 2));
    await expect(restoreDump(source(), 'half', 'pg_dump-custom', half, options)).rejects.toMatchObject({
      name: 'PostgresToolFailed',
      kind: 'external',
      message: expect.stringContaining('pg_restore ended with status 1'),
    });
  });

  test('passes on what its source throws, at whatever byte', async () => {
    await databases.create('thrown', 'origin');
    const failing = async function* () {
      yield* pieces(dump);
      throw new RangeError('the last byte was wrong');
    };
    await expect(restoreDump(source(), 'thrown', 'pg_dump-custom', failing(), options)).rejects.toThrow('last byte');
  });

  test('is not waited for when the signal aborts', async () => {
    await databases.create('aborted', 'origin');
    const abort = new AbortController();
    const endless = async function* () {
      yield dump.subarray(0, 20_000);
      abort.abort(new Error('enough'));
      await new Promise((resolve) => setTimeout(resolve, 50));
      yield dump.subarray(20_000);
    };
    const restored = restoreDump(source(), 'aborted', 'pg_dump-custom', endless(), {
      ...options,
      signal: abort.signal,
    });
    await expect(restored).rejects.toThrow('enough');
  });

  test('goes behind a command as well, with the password on no command line', async () => {
    const script = join(folder, 'behind.sh');
    await writeFile(script, `#!/bin/sh\nprintf '%s\\n' "$*" >> ${folder}/seen\nPATH=${server.tools}:$PATH exec "$@"\n`);
    await chmod(script, 0o755);
    const via = { ...source(), via: script };
    const behind = await openDatabaseServer(via, options);
    await behind.create('behind', 'origin');
    await restoreDump(via, 'behind', 'pg_dump-custom', pieces(dump), options);
    expect(await factsOf(via, 'behind', [largest], options)).toEqual({ thing: await things('behind') });
    const client = await connectTo(server.url('origin'));
    await client.query(`ALTER DATABASE origin SET ledgerhold.test TO 'it''s "kept"'`);
    await client.query('GRANT CREATE ON DATABASE origin TO stranger');
    await client.end();
    expect(await behind.lost('origin', 'behind')).toEqual(['ledgerhold.test']);
    await behind.carry('origin', 'behind');
    expect(await behind.lost('origin', 'behind')).toEqual([]);
    expect(await behind.ownership('behind')).toEqual({ owner: 'postgres', user: 'postgres', asOwner: true });
    expect(await behind.ownership('absent')).toBeUndefined();
    await behind.close();
    const { stdout } = await run('cat', [join(folder, 'seen')]);
    expect(stdout).toContain('pg_restore');
    expect(stdout).not.toContain(server.password);
  });

  describe('and the names on its server', () => {
    test('change all at once or not at all', async () => {
      for (const name of ['one', 'two', 'taken']) await databases.create(name, 'origin');
      const other = await openDatabaseServer(source(), options);
      const doomed = other.rename([
        { from: 'one', to: 'one-before' },
        { from: 'two', to: 'taken' },
      ]);
      await expect(doomed).rejects.toMatchObject({ name: 'PostgresToolFailed' });
      await other.close();
      expect([...(await databases.comments(['one', 'one-before', 'two'])).keys()].sort()).toEqual(['one', 'two']);
      await databases.rename([
        { from: 'one', to: 'one-before', comment: `it's "kept"` },
        { from: 'two', to: 'one' },
      ]);
      expect(await databases.comments(['one', 'one-before', 'two'])).toEqual(
        new Map([
          ['one', null],
          ['one-before', `it's "kept"`],
        ]),
      );
    });

    test('show who uses a database', async () => {
      expect(await databases.visitors('origin')).toEqual([]);
      const client = await connectTo(`${server.url('origin')}?application_name=canton`);
      expect(await databases.visitors('origin')).toEqual(['canton (user postgres, from 127.0.0.1)']);
      await client.end();
    });

    test('show who uses a database, to a user without privileges too', async () => {
      const admin = await connectTo(`${server.url('origin')}?application_name=canton`);
      await admin.query(`CREATE ROLE nobody LOGIN PASSWORD '${server.password}'`);
      const unprivileged = await openDatabaseServer({ url: server.url('gone', 'nobody') }, options);
      const seen = ['a program that only a superuser may see (user postgres)'];
      expect(await unprivileged.visitors('origin')).toEqual(seen);
      await unprivileged.close();
      await admin.end();
    });

    test('can be locked by one of us only', async () => {
      const other = await openDatabaseServer(source(), options);
      expect([await databases.lock('a'), await other.lock('a'), await other.lock('b')]).toEqual([true, false, true]);
      await other.close();
    });
  });
});
