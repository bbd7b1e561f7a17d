import { randomUUID } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

/**
 * Who holds a lease on one machine: `host/boot/namespace/pid/start/nonce`. The boot's id, the namespace of process ids
 * and the process's start time make sure that a number which is used again is not taken for the same process. Where
 * the system does not tell them (it is not Linux), they are `-`.
 */
export const thisHolder = (): string => [...place(), process.pid, startOf(process.pid) ?? '-', randomUUID()].join('/');

/**
 * True only if it is certain that the holder's process is no more: it ran in this boot, on this machine, in our
 * namespace, and its number is free or another's. In every other case its lease must expire.
 */
export function holderGone(holder: string): boolean {
  const [host, boot, namespace, pid, start] = holder.split('/');
  const here = place();
  if (here.includes('-') || [host, boot, namespace].join('/') !== here.join('/')) return false;
  return !/^\d+$/.test(pid ?? '') ? false : startOf(Number(pid)) !== start;
}

const place = (): string[] => [
  hostname().replaceAll('/', '_'),
  orDash(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()),
  orDash(() => readlinkSync('/proc/self/ns/pid')),
];

/** When a process was started, in clock ticks since boot; undefined if there is none of that number. */
function startOf(pid: number): string | undefined {
  try {
    // The command's name, in brackets, may hold anything: what follows the last bracket is fields 3 and on.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
    // A zombie writes no more.
    return fields[0] === 'Z' ? undefined : fields[19];
  } catch (error) {
    if (absent(error)) return undefined;
    throw error;
  }
}

function orDash(read: () => string): string {
  try {
    return read();
  } catch (error) {
    if (absent(error)) return '-';
    throw error;
  }
}

const absent = (error: unknown): boolean => ['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '');
