import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Seen {
  readonly pid: number;
  /** Words of the command line, with blanks between them. */
  readonly line: string;
  readonly environment: string;
}

/** The processes of this machine, as `/proc` tells them; one that ends meanwhile is left out. */
export async function processes(): Promise<Seen[]> {
  const pids = (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name));
  const read = (pid: string, name: string) => readFile(`/proc/${pid}/${name}`, 'latin1').catch(() => '');
  const all = pids.map(async (pid) => {
    const [line, environment] = await Promise.all([read(pid, 'cmdline'), read(pid, 'environ')]);
    return { pid: Number(pid), line: line.replaceAll('\0', ' '), environment };
  });
  return (await Promise.all(all)).filter(({ line }) => line !== '');
}

/** Resolves to what `look` gives once it gives something, looking again every few milliseconds. */
export async function soon<T>(look: () => Promise<T | undefined>, withinMs: number, what: string): Promise<T> {
  for (const end = performance.now() + withinMs; ; ) {
    const found = await look();
    if (found !== undefined) return found;
    if (performance.now() > end) throw new Error(`not within ${withinMs} ms: ${what}`);
    await sleep(2);
  }
}
