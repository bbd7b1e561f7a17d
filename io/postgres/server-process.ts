import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { type FileHandle, open, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** Whom to run PostgreSQL as; empty for ourselves. */
export type Owner = { readonly uid: number; readonly gid: number } | Record<string, never>;

/** A running server whose life hangs on ours. */
export interface ServerProcess {
  readonly port: number;
  /** Ends it at once and removes its folder. May be called again. */
  stop(): Promise<void>;
}

/**
 * Runs the server and ends it when standard input closes, which the kernel sees to however our process dies.
 * `$1` is the folder to remove afterwards. `cat` must not hold our standard output open, nor the server the input.
 */
const KEEPER = `
exec 3<&0
folder=$1; shift
"$@" </dev/null 3<&- & server=$!
{ cat <&3 >/dev/null; kill -QUIT "$server"; } 2>/dev/null & watcher=$!
exec 3<&-
wait "$server"
kill "$watcher" 2>/dev/null
rm -rf -- "$folder" 2>/dev/null`;

const READY_WITHIN_MS = 30_000;

/** Starts PostgreSQL on the initialised `folder/data`. Resolves to its last words if it does not come up. */
export async function startServer(
  tools: string,
  folder: string,
  owner: Owner,
  settings: Readonly<Record<string, string>>,
): Promise<ServerProcess | string> {
  const port = await freePort();
  const flags = Object.entries({ ...settings, port: String(port), unix_socket_directories: folder });
  const server = [
    join(tools, 'postgres'),
    '-D',
    join(folder, 'data'),
    ...flags.flatMap(([k, v]) => ['-c', `${k}=${v}`]),
  ];
  const log = await open(join(folder, 'server.log'), 'w+', 0o600);
  const keeper = spawn('/bin/sh', ['-c', KEEPER, 'sh', folder, ...server], {
    ...owner,
    cwd: folder,
    // A session of its own: Ctrl-C in a terminal reaches us, and the server only through us.
    detached: true,
    stdio: ['pipe', log.fd, log.fd],
  });
  // The server must not keep us alive: we keep it.
  keeper.unref();
  const stop = stopper(keeper, folder, log);
  if (await becomesReady(keeper, folder)) return { port, stop };
  const said = await tail(log);
  await stop();
  return said === '' ? `no answer within ${READY_WITHIN_MS / 1000} s` : said;
}

function stopper(keeper: ChildProcess, folder: string, log: FileHandle): () => Promise<void> {
  const ended = once(keeper, 'exit');
  const end = async () => {
    keeper.ref();
    keeper.stdin?.destroy();
    await ended;
    await log.close();
    await rm(folder, { recursive: true, force: true });
  };
  let ending: Promise<void> | undefined;
  return () => {
    ending ??= end();
    return ending;
  };
}

/** PostgreSQL writes its state into the eighth line of its pid file. */
async function becomesReady(keeper: ChildProcess, folder: string): Promise<boolean> {
  for (let waited = 0; waited < READY_WITHIN_MS && keeper.exitCode === null; waited += 10) {
    const pidFile = await readFile(join(folder, 'data', 'postmaster.pid'), 'utf8').catch(() => '');
    if (pidFile.split('\n')[7]?.startsWith('ready')) return true;
    await sleep(10);
  }
  return false;
}

async function tail(log: FileHandle): Promise<string> {
  const { size } = await log.stat();
  const { buffer, bytesRead } = await log.read(Buffer.alloc(1000), 0, 1000, Math.max(0, size - 1000));
  return buffer.toString('utf8', 0, bytesRead).trim();
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  await new Promise((closed) => probe.close(closed));
  if (address === null || typeof address === 'string') throw new TypeError('a TCP server without a port');
  return address.port;
}
