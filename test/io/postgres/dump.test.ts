import { chmod, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Client } from 'pg';
import type { AskFacts } from '../../../core/ports.ts';
import type { Reading } from '../../../core/positions.ts';
import type { Vault } from '../../../core/vault.ts';
import { ageDecryption, ageEncryption, ageIdentity } from '../../../io/age.ts';
import type { PostgresSource } from '../../../io/postgres/connection.ts';
import { type DumpOptions, dumpDatabase } from '../../../io/postgres/dump.ts';
import { readDump } from '../../../io/postgres/dump-reader.ts';
import { startThrowawayPostgres, type ThrowawayPostgres } from '../../../io/postgres/server.ts';
import { folderVault } from '../../../local/folder-vault.ts';
import { openArtifact, storeArtifact } from '../../../vault/artifact.ts';
import { connectTo } from '../../support/demo-network.ts';
import { describeWithPostgres } from '../../support/postgres.ts';

const KEY = 'sets/a/dump';
const SENTINEL = 'Sentinel-p4ssword:with\\odd"letters';
const reading: Reading = { status: 'unknown', reason: 'not asked' };
const largest = [{ table: 'thing', columns: [], max: 'id' }];

describeWithPostgres('a dump', () => {
  let server: ThrowawayPostgres;
  let client: Client;
  let folder: string;
  beforeAll(async () => {
    server = await startThrowawayPostgres();
    client = await connectTo(server.url('postgres'));
    folder = await mkdtemp(join(tmpdir(), 'ledgerhold-test-'));
    await client.query(`CREATE ROLE reader LOGIN SUPERUSER PASSWORD '${SENTINEL}'`);
    await client.query("CREATE ROLE nobody_special LOGIN PASSWORD 'secret-of-nobody'");
    await client.query('CREATE DATABASE shop');
    const shop = await connectTo(server.url('shop'));
    await shop.query('CREATE TABLE thing (id int PRIMARY KEY, payload text)');
    await shop.query('INSERT INTO thing SELECT i, repeat(md5(i::text), 64) FROM generate_series(1, 10000) i');
    await shop.end();
  });
  afterAll(async () => {
    await client.end();
    await server.stop();
    await rm(folder, { recursive: true });
  });

  const asReader = (): string => {
    const url = new URL(server.url('shop', 'reader'));
    url.password = encodeURIComponent(SENTINEL);
    return url.href;
  };
  let vaults = 0;
  const newVault = (): Vault => folderVault(join(folder, `vault-${(vaults += 1)}`));
  const keysOf = async (vault: Vault): Promise<string[]> => {
    const keys: string[] = [];
    for await (const { key } of vault.list('')) keys.push(key);
    return keys;
  };
  const storing =
    (vault: Vault, look: () => Promise<void> | void = () => undefined): DumpOptions['store'] =>
    async (dump) => {
      const watched = async function* () {
        for await (const bytes of dump) {
          await look();
          yield bytes;
        }
      };
      const encryption = ageEncryption([(await ageIdentity()).recipient]);
      const settings = { content: 'pg_dump-custom', compress: 'zstd', encryption, context: {} } as const;
      return storeArtifact(vault, KEY, watched(), settings);
    };
  const optionsFor = (vault: Vault, more: Partial<DumpOptions> = {}): DumpOptions => ({
    environment: process.env,
    clock: { now: () => new Date() },
    readPositions: async () => reading,
    store: storing(vault),
    ...more,
  });
  /** A program of PostgreSQL's that does something else; `$REAL` is the folder of the real ones. */
  const standIn = async (script: string, program = 'pg_dump'): Promise<string> => {
    const tools = await mkdtemp(join(folder, 'tools-'));
    await writeFile(join(tools, program), `#!/bin/sh\nREAL='${server.tools}'\n${script}\n`);
    await chmod(join(tools, program), 0o755);
    return tools;
  };
  const failing = async (source: PostgresSource, more: Partial<DumpOptions> = {}): Promise<Error> => {
    const vault = newVault();
    const error: unknown = await dumpDatabase(source, optionsFor(vault, more)).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(await keysOf(vault)).toEqual([]);
    expect(await openSessions()).toBe(0);
    expect(wholeText(error)).not.toContain(SENTINEL);
    return error as Error;
  };
  /** Other tests dump, too, at the same time. */
  const isOurDump = (line: string): boolean => line.includes(`port='${server.port}'`) && line.includes('--snapshot=');
  const killDumper = async (): Promise<number> => {
    const dumper = (await processes()).find(({ line }) => line.startsWith(server.tools) && isOurDump(line));
    if (dumper !== undefined) process.kill(dumper.pid, 'SIGKILL');
    return dumper?.pid ?? 0;
  };
  const openSessions = async (): Promise<number> => {
    const query = "SELECT FROM pg_stat_activity WHERE application_name IN ('ledgerhold', 'pg_dump')";
    for (let left = 50; ; left -= 1) {
      const { rowCount } = await client.query(query);
      // The server takes a moment to see that a connection is gone.
      if (rowCount === 0 || left === 0) return rowCount ?? 0;
      await client.query('SELECT pg_sleep(0.05)');
    }
  };

  describe.each([
    ['over TCP', () => ({ url: asReader() })],
    ['behind a command', () => ({ url: asReader(), via: `env "PATH=${server.tools}:/usr/bin:/bin" WHO='it is me'` })],
  ])('%s', (_, source) => {
    test('holds exactly the state that its positions were read in, whatever is written meanwhile', async () => {
      const vault = newVault();
      const { identity, recipient } = await ageIdentity();
      const asked: unknown[] = [];
      const readPositions = async (ask: AskFacts) => {
        const shop = await connectTo(server.url('shop'));
        await shop.query("INSERT INTO thing SELECT max(id) + 1, 'written meanwhile' FROM thing");
        await shop.end();
        asked.push(await ask(largest));
        return reading;
      };
      const settings = {
        content: 'pg_dump-custom',
        compress: 'zstd',
        encryption: ageEncryption([recipient]),
        context: {},
      } as const;
      const store: DumpOptions['store'] = (dump) => storeArtifact(vault, KEY, dump, settings);
      const captured = await dumpDatabase(source(), optionsFor(vault, { readPositions, store }));
      const [artifact] = captured.artifacts;
      if (artifact === undefined) throw new Error('nothing was stored');
      const stored = openArtifact(vault, artifact, ageDecryption(identity));
      const { facts, summary } = await readDump('pg_dump-custom', stored, largest);
      expect([facts]).toEqual(asked);
      expect(summary).toMatchObject({ database: 'shop', bytes: artifact.plain.size });
      expect(captured.versions).toEqual({ server: server.version, pg_dump: server.version });
      expect(artifact.encodings).toEqual(['zstd', 'age']);
      expect(Date.parse(captured.startedAt)).toBeLessThanOrEqual(Date.parse(captured.endedAt));
      expect(await openSessions()).toBe(0);
    });

    test('puts its password on no command line and under no name of a file', async () => {
      const seen: string[] = [];
      let looks = 0;
      const look = async () => {
        if ((looks += 1) === 2) seen.push(...(await commandLines()), await passwordFiles());
      };
      await dumpDatabase(source(), optionsFor(newVault(), { store: storing(newVault(), look) }));
      expect(seen.filter(isOurDump)).not.toEqual([]);
      expect(seen.join('\n')).not.toContain(SENTINEL.slice(0, 12));
    });

    test('by a wrong password is refused as a wrong password', async () => {
      const url = source().url.replace(encodeURIComponent(SENTINEL), 'wrong-Sentinel');
      const error = await failing({ ...source(), url });
      expect(error).toMatchObject({ name: 'WrongPassword', kind: 'usage' });
      expect(wholeText(error)).not.toContain('wrong-Sentinel');
    });

    test('of a database that does not exist says so', async () => {
      const error = await failing({ ...source(), url: source().url.replace('/shop', '/shopp') });
      expect(error).toMatchObject({ name: 'NoSuchDatabase', kind: 'usage' });
      expect(error.message).toContain('shopp');
    });

    test('from a server that is down fails as somebody else’s failure', async () => {
      const url = source().url.replace(`:${server.port}/`, ':1/');
      expect(await failing({ ...source(), url })).toMatchObject({ name: 'DatabaseUnavailable', kind: 'external' });
    });

    test('by a user who may not read everything is refused', async () => {
      const url = server.url('shop', 'nobody_special').replace(server.password, 'secret-of-nobody');
      const error = await failing({ ...source(), url });
      expect(error).toMatchObject({ name: 'DatabaseNotReadable', kind: 'external' });
    });
  });

  const untouched = 'case "$1" in --version) exec "$REAL/pg_dump" "$@";; esac';
  test('whose pg_dump is killed half way is not stored', async () => {
    let killed = 0;
    const look = async () => {
      if (killed === 0) killed = await killDumper();
    };
    const error = await failing({ url: asReader() }, { store: storing(newVault(), look) });
    expect(killed).toBeGreaterThan(0);
    expect(error).toMatchObject({ name: 'PostgresToolFailed', kind: 'external' });
    expect(error.message).toContain('SIGKILL');
  });

  test('whose stream is cut is not stored, though pg_dump ends well', async () => {
    const tools = await standIn(`${untouched}\n"$REAL/pg_dump" "$@" | head -c 1000000\nexit 0`);
    expect(await failing({ url: asReader(), tools })).toMatchObject({ name: 'DumpCutShort', kind: 'external' });
  });

  test('that pg_dump ends badly after its last byte is not stored', async () => {
    const tools = await standIn(`${untouched}\n"$REAL/pg_dump" "$@"\necho 'no luck with ${SENTINEL}' >&2; exit 3`);
    const error = await failing({ url: asReader(), tools });
    expect(error).toMatchObject({ name: 'PostgresToolFailed' });
    expect(error.message).toMatch(/ended with status 3: no luck with …/);
  });

  test('from a server newer than pg_dump is refused by name, before pg_dump is run', async () => {
    const tools = await standIn(`case "$1" in --version) echo 'pg_dump (PostgreSQL) 14.9';; *) touch "$0.ran";; esac`);
    expect(await failing({ url: asReader(), tools })).toMatchObject({ name: 'ToolOlderThanServer', kind: 'usage' });
    expect(await readdir(tools)).toEqual(['pg_dump']);
  });

  test.each([
    ['tools that are not there', { tools: '/nowhere' }, 'NoPostgresTools'],
    ['a command that is not there', { via: '/nowhere/docker exec -i db' }, 'PostgresToolFailed'],
    ['a root certificate that is not there', { sslRootCert: '/nowhere/root.crt' }, 'BadPostgresSource'],
  ])('by %s is refused', async (_, more, name) => {
    expect(await failing({ url: asReader(), ...more })).toMatchObject({ name });
  });

  test('ends at once when it is given up, and nothing of it goes on', async () => {
    const abort = new AbortController();
    const reason = new Error('given up');
    const error = await failing(
      { url: asReader() },
      { signal: abort.signal, store: storing(newVault(), () => abort.abort(reason)) },
    );
    expect(error).toBe(reason);
    expect((await commandLines()).filter(isOurDump)).toEqual([]);
  });

  test('that cannot be stored, or whose positions cannot be read, fails by that', async () => {
    const full = new Error('disk full');
    const store: DumpOptions['store'] = async (dump) => {
      for await (const bytes of dump) if (bytes.length > 0) throw full;
      throw new Error('no bytes');
    };
    expect(await failing({ url: asReader() }, { store })).toBe(full);
    const readPositions = () => Promise.reject(full);
    expect(await failing({ url: asReader() }, { readPositions })).toBe(full);
    expect((await commandLines()).filter(isOurDump)).toEqual([]);
  });
});

/** Everything that an error can show: message, stack and own fields, of it and of its causes. */
function wholeText(error: unknown): string {
  if (!(error instanceof Error)) return JSON.stringify(error) ?? '';
  const own = Object.entries(error).map(([name, value]) => `${name} ${JSON.stringify(value)}`);
  return [error.message, error.stack, error.cause === undefined ? '' : wholeText(error.cause), ...own].join('\n');
}

async function processes(): Promise<{ pid: number; line: string }[]> {
  const pids = (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name));
  const lines = pids.map(async (pid) => {
    const line = await readFile(join('/proc', pid, 'cmdline'), 'utf8').catch(() => '');
    return { pid: Number(pid), line: line.replaceAll('\0', ' ') };
  });
  return Promise.all(lines);
}

const commandLines = async (): Promise<string[]> => (await processes()).map(({ line }) => line);

/** All that is in files where passwords are put for a program. */
async function passwordFiles(): Promise<string> {
  const folders = (await readdir(tmpdir())).filter((name) => name.startsWith('ledgerhold-'));
  const files = folders.map((name) => readFile(join(tmpdir(), name, 'pgpass'), 'utf8').catch(() => ''));
  return (await Promise.all(files)).join('');
}
