import { execFileSync, spawnSync } from 'node:child_process';
import { chownSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ageEncryption, ageIdentity } from '../io/age.ts';
import { connectionOf } from '../io/postgres/connection.ts';
import { dumpDatabase } from '../io/postgres/dump.ts';
import { startThrowawayPostgres, type ThrowawayPostgres } from '../io/postgres/server.ts';
import { openSession } from '../io/postgres/session.ts';
import { folderVault } from '../local/folder-vault.ts';
import { storeArtifact } from '../vault/artifact.ts';
import type { BenchResult } from './result.ts';

/** Odd, so that the median is a measurement. */
const ROUNDS = 3;
const ROWS = 1_000_000;

/** What a ledger's database is made of, half each: bytes in hexadecimal that nothing shortens, and JSON that all does. */
const TABLES = [
  `CREATE TABLE payloads AS SELECT i AS id, (SELECT string_agg(md5(i::text || part), '')
     FROM generate_series(1, 16) part) AS bytes FROM generate_series(1, ${ROWS}) i`,
  `CREATE TABLE contracts AS SELECT i AS id, format('{"contractId":"00%s","owner":"validator-%s::1220%s","amount":'
     '{"initialAmount":"%s","createdAt":{"number":%s},"ratePerRound":{"rate":"0.0000190259"}},"createdAt":'
     '"2026-11-21T08:%s:%sZ","signatories":["DSO::1220%s","validator-%s"],"templateId":"Splice.Amulet:Amulet"}',
     md5(i::text), i % 50, repeat(md5((i % 50)::text), 2), (i::bigint * 7919) % 100000, i / 1000, i % 60, (i * 7) % 60,
     repeat(md5('dso'), 2), i % 50) AS payload FROM generate_series(1, ${ROWS}) i`,
];

/** A gigabyte into a vault, compressed, encrypted, hashed and read through, against `pg_dump` to nowhere and pgBackRest. */
export async function run(): Promise<BenchResult> {
  const settings = { wal_level: 'replica', max_wal_senders: '3', max_wal_size: '4GB', shared_buffers: '256MB' };
  const server = await startThrowawayPostgres({ settings });
  const folder = mkdtempSync(join(tmpdir(), 'ledgerhold-bench-'));
  try {
    await fill(server);
    const peer = pgBackRest(server, folder);
    const seconds: Record<'limit' | 'ours' | 'peer', number[]> = { limit: [], ours: [], peer: [] };
    // Interleaved, so that whatever else the machine does meets all of them.
    for (let round = 0; round < ROUNDS; round += 1) {
      seconds.limit.push(await timed(() => dumpToNowhere(server)));
      seconds.ours.push(await timed(() => dumpToVault(server, join(folder, `vault-${round}`))));
      if (peer !== undefined) seconds.peer.push(await timed(peer));
    }
    const [ours, limit, other] = [median(seconds.ours), median(seconds.limit), median(seconds.peer)];
    const memory = Math.round(process.resourceUsage().maxRSS / 1024);
    console.error(`ours takes ${(ours / limit).toFixed(2)} times the limit; this process was ${memory} MB at most`);
    return {
      ...{ name: 'dump', unit: 's', ours, ratio: ours / other },
      peer: { name: peer === undefined ? 'pgBackRest (not installed)' : 'pgBackRest, zstd and AES', value: other },
      limit: { name: 'pg_dump -Fc -Z0 to nowhere', value: limit },
    };
  } finally {
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function fill(server: ThrowawayPostgres): Promise<void> {
  const session = await openSession(connectionOf({ url: server.url('postgres') }), { environment: process.env });
  for (const table of TABLES) await session.run(table);
  await session.run('VACUUM (FREEZE, ANALYZE)');
  await session.run('CHECKPOINT');
  await session.close();
}

/** Its standard output is `/dev/null`. */
function dumpToNowhere(server: ThrowawayPostgres): void {
  const env = { ...process.env, PGPASSWORD: server.password };
  const source = ['-h', '127.0.0.1', '-p', String(server.port), '-U', 'postgres', 'postgres'];
  execFileSync(join(server.tools, 'pg_dump'), ['-Fc', '-Z0', ...source], { env, stdio: 'ignore' });
}

async function dumpToVault(server: ThrowawayPostgres, folder: string): Promise<void> {
  const encryption = ageEncryption([(await ageIdentity()).recipient]);
  const settings = { content: 'pg_dump-custom', compress: 'zstd', encryption, context: {} } as const;
  await dumpDatabase(
    { url: server.url('postgres') },
    {
      environment: process.env,
      clock: { now: () => new Date() },
      readPositions: async () => ({ status: 'unknown', reason: 'a benchmark asks for none' }),
      store: (dump) => storeArtifact(folderVault(folder), 'dump', dump, settings),
    },
  );
  rmSync(folder, { recursive: true });
}

/** A full backup by its defaults, but zstd and AES-256; undefined where it is not installed. */
function pgBackRest(server: ThrowawayPostgres, folder: string): (() => void) | undefined {
  if (spawnSync('pgbackrest', ['version']).status !== 0) return undefined;
  const data = join(server.socketDir, 'data');
  const { uid, gid } = statSync(data);
  const home = join(folder, 'pgbackrest');
  const paths = ['repo', 'log', 'lock', 'spool'].map((name) => join(home, name));
  for (const path of [home, ...paths]) mkdirSync(path);
  const [repo = '', log = '', lock = '', spool = ''] = paths;
  const config = join(home, 'pgbackrest.conf');
  const global = { 'repo1-path': repo, 'repo1-cipher-type': 'aes-256-cbc', 'repo1-cipher-pass': server.password };
  const more = { 'compress-type': 'zst', 'log-path': log, 'lock-path': lock, 'spool-path': spool, 'start-fast': 'y' };
  const stanza = {
    'pg1-path': data,
    'pg1-port': server.port,
    'pg1-socket-path': server.socketDir,
    'pg1-user': 'postgres',
  };
  const lines = (values: object) => Object.entries(values).map(([name, value]) => `${name}=${value}\n`);
  writeFileSync(
    config,
    ['[global]\n', ...lines({ ...global, ...more, 'repo1-retention-full': 1 }), '[b]\n', ...lines(stanza)].join(''),
  );
  for (const path of [folder, home, config, ...paths]) chownSync(path, uid, gid);
  const call = (...args: string[]) => {
    const env = { ...process.env, PGPASSWORD: server.password };
    const common = [`--config=${config}`, '--stanza=b', '--log-level-console=warn'];
    execFileSync('pgbackrest', [...common, ...args], {
      uid,
      gid,
      env,
      cwd: home,
      stdio: ['ignore', 'ignore', 'inherit'],
    });
  };
  call('--no-online', 'stanza-create');
  return () => call('--type=full', '--no-archive-check', 'backup');
}

async function timed(work: () => Promise<void> | void): Promise<number> {
  const started = performance.now();
  await work();
  return (performance.now() - started) / 1000;
}

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
