import { execFile, execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { link, mkdir, open, readFile, unlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import pLimit from 'p-limit';
import type { Vault } from '../core/vault.ts';
import { openDiskThreads } from '../io/disk-threads.ts';
import type { BenchResult } from './result.ts';
import { chainVault, MemberFolders, SHARED } from './support/member-folders.ts';
import { inTurns, median, timed } from './support/rounds.ts';

/** Odd, so that the median is a measurement. */
const ROUNDS = Number(process.env['ROUNDS'] ?? 3);
/** 839 MB of chain files, in two manifests. */
const SHAPE = { files: 200, size: 4_195_000, filesAManifest: 100 } as const;
const MEMBERS = ['a', 'b', 'c', 'd', 'e'] as const;
const KINDS = ['ours', 'limit', 'rclone in turn', 'rclone at once'] as const;
type Kind = (typeof KINDS)[number];

/**
 * 839 MB to five members' folders: read once, hashed once, written to all, each object durable and whole when it is told.
 * The peer is Debian's `rclone copy`, five times; it compares MD5 by default, and leaves it to the system when what it
 * wrote is on the disk. So it is shown, too, with a sync of the file system behind it.
 */
export async function run(): Promise<BenchResult> {
  openDiskThreads(process.env);
  const folder = mkdtempSync(join(process.env['BENCH_FOLDER'] ?? tmpdir(), 'ledgerhold-fanout-'));
  try {
    const vault = await chainVault(join(folder, 'vault'), SHAPE);
    const keys = (await Array.fromAsync(vault.list(''))).map(({ key }) => key).filter((key) => SHARED.test(key));
    const rclone = spawnSync('rclone', ['version']).status === 0;
    const kinds = KINDS.filter((kind) => rclone || !kind.startsWith('rclone'));
    const durable: Partial<Record<Kind, number[]>> = {};
    const busy: Partial<Record<Kind, number[]>> = {};
    const seconds = await inTurns(ROUNDS, kinds, async (kind, round) => {
      const sinks = join(folder, 'sinks');
      const { taken, processors } = await delivered(kind, { folder, sinks, vault, keys, round });
      (busy[kind] ??= []).push(processors);
      (durable[kind] ??= []).push(taken + (await timed(() => execFileSync('sync', ['-f', folder]))));
      rmSync(sinks, { recursive: true });
      // Nobody is to pay for what another one has left to be done.
      execFileSync('sync', ['-f', folder]);
      return taken;
    });
    tell(kinds, { seconds, durable, busy });
    const [ours, limit] = [median(seconds.ours), median(seconds.limit)];
    const peer = Math.min(median(seconds['rclone in turn'] ?? []), median(seconds['rclone at once'] ?? []));
    return {
      ...{ name: 'fanout', unit: 's', ours, ratio: ours / peer },
      peer: { name: rclone ? 'five rclone copies, the better way' : 'rclone (not installed)', value: peer },
      limit: { name: 'one read, five durable writes', value: limit },
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Work {
  readonly folder: string;
  readonly sinks: string;
  readonly vault: Vault;
  readonly keys: readonly string[];
  readonly round: number;
}

/** Seconds, and those of processors. */
async function delivered(kind: Kind, work: Work): Promise<{ taken: number; processors: number }> {
  const before = process.cpuUsage();
  let others = 0;
  const taken = await deliveredBy(kind, work, (seconds) => {
    others = seconds;
  });
  const { user, system } = process.cpuUsage(before);
  return { taken, processors: others + (user + system) / 1_000_000 };
}

async function deliveredBy(
  kind: Kind,
  { folder, sinks, vault, keys, round }: Work,
  tellProcessors: (seconds: number) => void,
): Promise<number> {
  await mkdir(sinks);
  if (kind === 'limit') return timed(() => readOnceWriteFive(join(folder, 'vault'), keys, sinks));
  if (kind !== 'ours') {
    return timed(async () => tellProcessors(await copies(join(folder, 'vault'), sinks, kind === 'rclone at once')));
  }
  const members = new MemberFolders(
    vault,
    sinks,
    MEMBERS.map((name) => `bank-${name}-${round}`),
  );
  await members.join();
  return timed(async () => {
    const ends = await members.deliver();
    if (ends.some(({ outcome, objects }) => outcome !== 'whole' || objects !== keys.length)) {
      throw new Error(`not everything was delivered: ${JSON.stringify(ends)}`);
    }
  });
}

/** As many at once as keep the disk busy. */
const OBJECTS_AT_ONCE = 8;

/**
 * What no delivery can do without: each object is read once, and written five times to a temporary name, synced, linked
 * to its own, and the entry in its folder synced. Nothing is hashed, looked for or recorded.
 */
async function readOnceWriteFive(vault: string, keys: readonly string[], sinks: string): Promise<void> {
  const limit = pLimit(OBJECTS_AT_ONCE);
  const write = async (path: string, bytes: Buffer) => {
    await mkdir(dirname(path), { recursive: true });
    const file = await open(`${path}.new`, 'wx');
    await file.writeFile(bytes);
    await file.sync();
    await file.close();
    await link(`${path}.new`, path);
    await unlink(`${path}.new`);
    const folder = await open(dirname(path));
    await folder.sync();
    await folder.close();
  };
  await Promise.all(
    keys.map((key) =>
      limit(async () => {
        const bytes = await readFile(join(vault, key));
        await Promise.all(MEMBERS.map((member) => write(join(sinks, member, key), bytes)));
      }),
    ),
  );
}

async function copies(vault: string, sinks: string, atOnce: boolean): Promise<number> {
  const limit = pLimit(atOnce ? MEMBERS.length : 1);
  const what = ['--include', '/chain/**', '--include', '/keys/**', '--include', '/format.json'];
  const flags = ['--config', '/dev/null', '--quiet', 'copy', ...what];
  const copy = (member: string) =>
    promisify(execFile)('sh', ['-c', 'rclone "$@" && times', 'sh', ...flags, vault, join(sinks, member)]);
  const said = await Promise.all(MEMBERS.map((member) => limit(() => copy(member))));
  return said.reduce((sum, { stdout }) => sum + processorSeconds(stdout), 0);
}

/** The last line of the shell's `times`, of its children: `0m1.230000s 0m0.450000s`. */
const processorSeconds = (text: string): number =>
  [...(text.trim().split('\n').at(-1) ?? '').matchAll(/(\d+)m([\d.]+)s/g)].reduce(
    (sum, [, minutes, seconds]) => sum + Number(minutes) * 60 + Number(seconds),
    0,
  );

type Figures = Partial<Record<Kind, readonly number[]>>;

function tell(
  kinds: readonly Kind[],
  { seconds, durable, busy }: Record<'seconds' | 'durable' | 'busy', Figures>,
): void {
  const text = (values: readonly number[] = []) => values.map((value) => value.toFixed(2)).join(', ');
  for (const kind of kinds) {
    console.log(
      `${kind.padEnd(16)} ${text(seconds[kind])} s; with \`sync -f\` ${text(durable[kind])} s; processors ${text(busy[kind])} s`,
    );
  }
}
