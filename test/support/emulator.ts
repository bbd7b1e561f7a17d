import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { homedir, tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';

const ROOT = join(import.meta.dirname, '../..');
export const BIN = join(ROOT, 'node_modules/.bin');

/** The folder of programs of an emulator, as `scripts/install-emulators.sh` puts it; undefined if it is not there. */
export function programsOf(emulator: 'ministack' | 'moto' | 'aws-cli'): string | undefined {
  const home = join(process.env['LEDGERHOLD_CACHE'] ?? join(homedir(), '.cache', 'ledgerhold'), emulator);
  return existsSync(join(home, 'installed')) ? join(home, 'bin') : undefined;
}

/** Skipped by name on a machine without the emulator; there, where a commit is judged, its absence is a failure. */
export function describeWith(emulator: 'ministack' | 'moto', name: string, tests: (python: string) => void): void {
  const programs = programsOf(emulator);
  const missing = `${name} (${emulator} is not installed: run scripts/install-emulators.sh)`;
  if (programs !== undefined) describe(name, () => tests(join(programs, 'python')));
  else if (process.env['CI'] === undefined) describe.skip(missing, () => test.todo('needs it'));
  else test(missing, () => expect(programs).toBeDefined());
}

export interface EmulatorProps {
  readonly python: string;
  /** With which the Python is started on a port. */
  readonly args: (port: number) => readonly string[];
  readonly env: (port: number, home: string) => Readonly<Record<string, string>>;
  readonly ready: (port: number, home: string) => Promise<boolean>;
}

/** An emulator of AWS on this machine, with nothing in it. */
export interface Emulator {
  readonly port: number;
  /** A folder of its own; for what is run against it, too. */
  readonly home: string;
  /** What it has said so far. */
  log(): Promise<string>;
  stop(): Promise<void>;
}

/** Starts one on a free port of loopback, and waits until it answers. Lambdas in it find Node 24 on their PATH. */
export async function startEmulator({ python, args, env, ready }: EmulatorProps): Promise<Emulator> {
  const home = await mkdtemp(join(tmpdir(), 'ledgerhold-emulator-'));
  const port = await freePort();
  const log = join(home, 'log');
  const server = spawn('sh', ['-c', `exec "$@" > '${log}' 2>&1`, 'sh', python, ...args(port)], {
    stdio: 'ignore',
    cwd: home,
    env: {
      PATH: [BIN, process.env['PATH']].join(delimiter),
      HOME: home,
      TMPDIR: home,
      PYTHONDONTWRITEBYTECODE: '1',
      ...env(port, home),
    },
  });
  const emulator = {
    ...{ port, home },
    log: () => readFile(log, 'utf8').catch(() => ''),
    stop: async () => {
      await end(server);
      await free(port);
      await rm(home, { recursive: true, force: true, maxRetries: 5 });
    },
  };
  await answers(server, emulator, () => ready(port, home));
  return emulator;
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  await once(probe, 'close');
  if (address === null || typeof address === 'string') throw new Error('a TCP server has no port');
  return address.port;
}

/** Waits at most a minute: the first start after an installation compiles all of its modules. */
async function answers(server: ChildProcess, emulator: Emulator, ready: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 600 && server.exitCode === null; tries += 1) {
    if (await ready().catch(() => false)) return;
    await sleep(100);
  }
  const said = await emulator.log();
  await emulator.stop();
  throw new Error(`the emulator did not answer on port ${emulator.port}: ${said.slice(-2_000)}`);
}

/** It may ignore the first signal while a schedule of its own fires. */
async function end(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return;
  const ended = once(server, 'exit');
  server.kill();
  const inTime = await Promise.race([ended, sleep(5_000, 'late', { ref: false })]);
  if (inTime === 'late') server.kill('SIGKILL');
  await ended;
}

/** Until nobody listens on the port: a worker that outlives the emulator must not answer for the next. */
async function free(port: number): Promise<void> {
  for (let tries = 0; tries < 100; tries += 1) {
    const answered = await fetch(`http://127.0.0.1:${port}`).then(
      () => true,
      () => false,
    );
    if (!answered) return;
    await sleep(50);
  }
  throw new Error(`port ${port} is still in use after the emulator has ended`);
}
