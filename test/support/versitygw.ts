import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { homedir, tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { promisify } from 'node:util';

/** A running S3 server of one's own, with nothing in it. */
export interface Versitygw {
  readonly endpoint: string;
  readonly region: string;
  /** Owner of every bucket made with `credentials`. */
  readonly account: string;
  readonly credentials: Keys;
  /** Makes an account of 12 digits, which may have buckets of its own. Its access key is its number. */
  createAccount(account: string): Promise<Keys>;
  stop(): Promise<void>;
}

export interface Keys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

const SECRET = 'a-secret-of-an-account';
const ROOT = { accessKeyId: '000000000000', secretAccessKey: 'a-secret-of-this-test' };

/** Where `scripts/install-versitygw.sh` puts it, or on PATH; undefined if it is not on this machine. */
export function findVersitygw(): string | undefined {
  const cache = process.env['LEDGERHOLD_CACHE'] ?? join(homedir(), '.cache', 'ledgerhold');
  const folders = [join(cache, 'bin'), ...(process.env['PATH'] ?? '').split(delimiter)];
  return folders.map((folder) => join(folder, 'versitygw')).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Starts a gateway over a new folder, on a free port of loopback. `versions` turns versioning, and so locks, on. */
export async function startVersitygw(binary: string, { versions = false } = {}): Promise<Versitygw> {
  const home = await mkdtemp(join(tmpdir(), 'ledgerhold-s3-'));
  for (const folder of ['iam', 'ver', 'data']) await mkdir(join(home, folder));
  const port = await freePort();
  const server = spawn(
    binary,
    [
      ...['-q', '-p', `127.0.0.1:${port}`, '-a', ROOT.accessKeyId, '-s', ROOT.secretAccessKey],
      ...['--iam-dir', join(home, 'iam'), '--iam-cache-ttl', '1', 'posix'],
      ...(versions ? ['--versioning-dir', join(home, 'ver')] : []),
      join(home, 'data'),
    ],
    { stdio: 'ignore', env: {} },
  );
  const endpoint = `http://127.0.0.1:${port}`;
  const stop = async () => {
    await end(server);
    await rm(home, { recursive: true });
  };
  await answers(server, endpoint, stop);
  const createAccount = async (account: string): Promise<Keys> => {
    const user = ['create-user', '-a', account, '-s', SECRET, '-r', 'userplus'];
    const admin = ['admin', '-a', ROOT.accessKeyId, '-s', ROOT.secretAccessKey, '--er', endpoint];
    await promisify(execFile)(binary, [...admin, ...user], { env: {} });
    return { accessKeyId: account, secretAccessKey: SECRET };
  };
  return { endpoint, region: 'us-east-1', account: ROOT.accessKeyId, credentials: ROOT, createAccount, stop };
}

/** Another account on the server, which owns the buckets that it makes. Its id is its access key, as in policies here. */
export async function newAccount(
  { endpoint }: Versitygw,
  id: string,
): Promise<{ accessKeyId: string; secretAccessKey: string }> {
  const binary = findVersitygw();
  if (binary === undefined) throw new Error('versitygw is not here');
  const account = { accessKeyId: id, secretAccessKey: `the-secret-of-${id}` };
  const admin = ['admin', '-a', ROOT.accessKeyId, '-s', ROOT.secretAccessKey, '-er', endpoint];
  const user = ['create-user', '-a', id, '-s', account.secretAccessKey, '-r', 'userplus'];
  const made = spawn(binary, [...admin, ...user], { stdio: 'ignore', env: {} });
  const [code] = await once(made, 'exit');
  if (code !== 0) throw new Error(`versitygw does not make the account ${id}`);
  return account;
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

/** Waits at most 10 s for the first HTTP answer. */
async function answers(server: ChildProcess, endpoint: string, stop: () => Promise<void>): Promise<void> {
  for (let tries = 0; tries < 200 && server.exitCode === null; tries += 1) {
    const answer = await fetch(endpoint).catch(() => undefined);
    await answer?.arrayBuffer();
    if (answer !== undefined) return;
    await setTimeout(50);
  }
  await stop();
  throw new Error(`versitygw did not answer at ${endpoint}`);
}

async function end(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return;
  const ended = once(server, 'exit');
  server.kill();
  await ended;
}
