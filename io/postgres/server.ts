import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chown, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { LedgerholdError } from '../../core/errors.ts';
import { type Owner, type ServerProcess, startServer } from './server-process.ts';
import { toolFolder } from './tool-folder.ts';

const run = promisify(execFile);

/** A PostgreSQL of one's own on loopback. It lives as long as this process does, at most, and leaves nothing behind. */
export interface ThrowawayPostgres {
  /** Such as `15.18`. */
  readonly version: string;
  /** The folder that its programs came from. */
  readonly tools: string;
  readonly port: number;
  /** Holds a unix socket for the same port. */
  readonly socketDir: string;
  /** The superuser `postgres`'s; random, since a restored database holds private keys and loopback is everybody's. */
  readonly password: string;
  /** A `postgres://` URL with the password in it; `user` defaults to the superuser. */
  url(database: string, user?: string): string;
  /** Ends the server and removes its folder. May be called again. */
  stop(): Promise<void>;
}

export interface ThrowawayOptions {
  /** Where its folder is made; as root, the user that PostgreSQL runs as must be able to enter it. Default: the system's. */
  readonly dir?: string;
  /** Folder with `initdb` and `postgres`; default: the newest installed. */
  readonly tools?: string;
  /** More server settings, such as `{ ssl: 'on' }`. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Aborting stops the server. */
  readonly signal?: AbortSignal;
}

/** The server could not be made or did not come up; its own words are in the message. */
export class ThrowawayPostgresFailed extends LedgerholdError {
  override readonly name = 'ThrowawayPostgresFailed';
  readonly kind = 'external';
  constructor(message: string, options?: ErrorOptions) {
    super(message, 'Check free disk space, and that another user may enter the folder.', options);
  }
}

/** Loses everything in a crash, which is what it is for; little memory, since it runs beside a node. */
const SETTINGS = {
  listen_addresses: '127.0.0.1',
  unix_socket_permissions: '0700',
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
  wal_level: 'minimal',
  max_wal_senders: '0',
  max_connections: '50',
  shared_buffers: '32MB',
};

/** Up in about a second. Rejects with `NoPostgresTools` where PostgreSQL's server is not installed. */
export async function startThrowawayPostgres(options: ThrowawayOptions = {}): Promise<ThrowawayPostgres> {
  options.signal?.throwIfAborted();
  const tools = await toolFolder(['initdb', 'postgres'], options.tools, process.env);
  const { stdout } = await run(join(tools, 'postgres'), ['--version']);
  const password = randomBytes(18).toString('base64url');
  const { folder, server } = await startSomewhere(tools, password, options);
  options.signal?.addEventListener('abort', () => void server.stop(), { once: true });
  return {
    version: /\d+(?:\.\d+)*/.exec(stdout)?.[0] ?? stdout.trim(),
    tools,
    port: server.port,
    socketDir: folder,
    password,
    url: (database, user = 'postgres') =>
      `postgres://${encodeURIComponent(user)}:${password}@127.0.0.1:${server.port}/${encodeURIComponent(database)}`,
    stop: server.stop,
  };
}

/** Three tries, since a port that was free when asked can be taken before it is used. */
async function startSomewhere(
  tools: string,
  password: string,
  { dir = tmpdir(), settings }: ThrowawayOptions,
): Promise<{ folder: string; server: ServerProcess }> {
  const owner = await unprivilegedOwner();
  for (let attempt = 1; ; attempt += 1) {
    const folder = await initialise(tools, dir, password, owner);
    const server = await startServer(tools, folder, owner, { ...SETTINGS, ...settings });
    if (typeof server !== 'string') return { folder, server };
    if (attempt < 3 && server.includes('Address already in use')) continue;
    throw new ThrowawayPostgresFailed(`PostgreSQL of ${tools} did not start: ${server}`);
  }
}

/** PostgreSQL refuses to run as root. */
async function unprivilegedOwner(): Promise<Owner> {
  if (process.getuid?.() !== 0) return {};
  const users = (await readFile('/etc/passwd', 'utf8')).split('\n').map((line) => line.split(':'));
  const user = users.find(([name]) => name === 'postgres') ?? users.find(([name]) => name === 'nobody');
  if (user === undefined)
    throw new ThrowawayPostgresFailed('PostgreSQL cannot run as root, and there is no user nobody');
  return { uid: Number(user[2]), gid: Number(user[3]) };
}

/** Resolves to a fresh folder with an initialised `data` in it. */
async function initialise(tools: string, dir: string, password: string, owner: Owner): Promise<string> {
  const folder = await mkdtemp(join(dir, 'ledgerhold-pg-'));
  const passwordFile = join(folder, 'password');
  const args = ['-D', join(folder, 'data'), '-U', 'postgres', '-A', 'scram-sha-256', '--pwfile', passwordFile];
  try {
    await writeFile(passwordFile, password, { mode: 0o600, flag: 'wx' });
    if (owner.uid !== undefined) for (const path of [passwordFile, folder]) await chown(path, owner.uid, owner.gid);
    await run(join(tools, 'initdb'), [...args, '-E', 'UTF8', '--locale=C', '-N', '--no-instructions'], {
      ...owner,
      cwd: folder,
    });
    await rm(passwordFile);
    return folder;
  } catch (cause) {
    await rm(folder, { recursive: true, force: true });
    const said = cause instanceof Error && 'stderr' in cause ? String(cause.stderr).trim() : '';
    throw new ThrowawayPostgresFailed(`initdb in ${folder} failed: ${said === '' ? String(cause) : said}`, { cause });
  }
}
