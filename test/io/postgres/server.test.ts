import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, mkdtemp, readdir, rm } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { expect, test } from '@jest/globals';
import { Client } from 'pg';
import { startThrowawayPostgres } from '../../../io/postgres/server.ts';
import { describeWithPostgres } from '../../support/postgres.ts';

async function ask(connectionString: string, sql: string) {
  const client = new Client({ connectionString });
  await client.connect();
  try {
    return (await client.query({ text: sql, rowMode: 'array' })).rows[0];
  } finally {
    await client.end();
  }
}

const listens = async (port: number) => {
  const socket = createConnection({ host: '127.0.0.1', port });
  const [event] = await Promise.race([
    once(socket, 'connect').then(() => ['connect']),
    once(socket, 'error').then(() => ['error']),
  ]).catch(() => ['error']);
  socket.destroy();
  return event === 'connect';
};

describeWithPostgres('a throw-away PostgreSQL', () => {
  test('answers over TCP and over its socket, and leaves nothing behind when stopped', async () => {
    const server = await startThrowawayPostgres({ settings: { work_mem: '5MB' } });
    const socket = `postgres://postgres:${server.password}@/postgres?host=${server.socketDir}&port=${server.port}`;
    expect(await ask(server.url('postgres'), 'SHOW server_version')).toEqual([expect.stringContaining(server.version)]);
    expect(await ask(socket, 'SHOW work_mem')).toEqual(['5MB']);
    await Promise.all([server.stop(), server.stop()]);
    expect(existsSync(server.socketDir)).toBe(false);
    expect(await listens(server.port)).toBe(false);
  });

  test('lets nobody in without the password', async () => {
    const server = await startThrowawayPostgres();
    try {
      await expect(ask(server.url('postgres').replace(server.password, 'wrong'), 'SELECT 1')).rejects.toThrow(
        /password/,
      );
    } finally {
      await server.stop();
    }
  });

  test('dies with a process that is killed', async () => {
    const module = pathToFileURL(join(import.meta.dirname, '../../../io/postgres/server.ts')).href;
    const script = `import { startThrowawayPostgres } from ${JSON.stringify(module)};
      const server = await startThrowawayPostgres(); process.stdout.write(server.port + ' ' + server.socketDir);
      setTimeout(() => {}, 60_000);`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [said] = await once(child.stdout, 'data');
    const [port, folder] = String(said).split(' ');
    expect(await listens(Number(port))).toBe(true);
    child.kill('SIGKILL');
    await once(child, 'exit');
    for (let waited = 0; waited < 100 && existsSync(String(folder)); waited += 1) await sleep(50);
    expect([existsSync(String(folder)), await listens(Number(port))]).toEqual([false, false]);
  });

  test('stops when the signal aborts', async () => {
    const abort = new AbortController();
    const server = await startThrowawayPostgres({ signal: abort.signal });
    abort.abort();
    await server.stop();
    expect(await listens(server.port)).toBe(false);
  });

  test('that cannot start says why, and leaves no folder', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'ledgerhold-test-'));
    await chmod(dir, 0o755);
    try {
      await expect(startThrowawayPostgres({ dir, settings: { shared_buffers: 'plenty' } })).rejects.toMatchObject({
        name: 'ThrowawayPostgresFailed',
        message: expect.stringContaining('plenty'),
      });
      expect(await readdir(dir)).toEqual([]);
    } finally {
      await rm(dir, { recursive: true });
    }
  });
});

test('without a PostgreSQL the error says what to install', async () => {
  await expect(startThrowawayPostgres({ tools: '/nonexistent' })).rejects.toMatchObject({
    name: 'NoPostgresTools',
    kind: 'usage',
    message: 'no initdb and postgres in /nonexistent',
    remedy: expect.stringContaining('Install'),
  });
});
