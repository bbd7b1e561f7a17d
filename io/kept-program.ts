import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ProgramEnd, startProgram } from './postgres/program.ts';

/** A program that does not outlive us. */
export interface KeptProgram {
  /** Never rejects. A program that could not be started ends with status 127. */
  readonly ended: Promise<ProgramEnd>;
  /** Asks it to end and waits for as long as it needs to put its data in order, then by force. May be called again. */
  stop(): Promise<void>;
}

/** Passes the program's status on, and ends it when standard input closes: the kernel sees to that however we die. */
const KEEPER = `
exec 3<&0
"$@" </dev/null 3<&- & program=$!
{ cat <&3; kill -TERM "$program"; } >/dev/null 2>&1 & watcher=$!
exec 3<&-
wait "$program"; status=$?
kill "$watcher" 2>/dev/null
exit "$status"`;

/** A client flushes its caches when it ends; what is cut off there costs it its newest blocks. */
const PATIENCE_MS = 120_000;

export function startKept(words: readonly string[], environment: NodeJS.ProcessEnv): KeptProgram {
  const program = startProgram({ words: ['/bin/sh', '-c', KEEPER, 'sh', ...words], environment });
  program.stdout.resume();
  const end = async () => {
    program.stdin.end();
    const abort = new AbortController();
    await Promise.race([program.ended, sleep(PATIENCE_MS, undefined, { signal: abort.signal }).catch(() => undefined)]);
    abort.abort();
    await program.stop();
  };
  let ending: Promise<void> | undefined;
  return {
    ended: program.ended,
    stop: () => {
      ending ??= end();
      return ending;
    },
  };
}

/** Ports of loopback that are free now, all different. */
export async function freePorts(count: number): Promise<number[]> {
  const probes = Array.from({ length: count }, () => createServer());
  await Promise.all(probes.map((probe) => new Promise<void>((listening) => probe.listen(0, '127.0.0.1', listening))));
  const ports = probes.map((probe) => {
    const address = probe.address();
    if (address === null || typeof address === 'string') throw new TypeError('a TCP server without a port');
    return address.port;
  });
  await Promise.all(probes.map((probe) => new Promise((closed) => probe.close(closed))));
  return ports;
}
