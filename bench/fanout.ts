import { execFile, execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pLimit from 'p-limit';
import type { BenchResult } from './result.ts';
import { chainVault } from './support/member-folders.ts';
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
 * The peer is Debian's `rclone copy`, five times, behind one look whether the source has the SHA-256 that was sealed; what
 * was read and written it compares by MD5, and leaves it to the system when that is on the disk. So it is shown, too, with
 * a sync of the file system behind it. Ours and the limit have a process of their own as rclone has, without its start.
 */
export async function run(): Promise<BenchResult> {
  const folder = mkdtempSync(join(process.env['BENCH_FOLDER'] ?? tmpdir(), 'ledgerhold-fanout-'));
  try {
    await chainVault(join(folder, 'vault'), SHAPE);
    const hasRclone = spawnSync('rclone', ['version']).status === 0;
    if (hasRclone)
      await writeFile(join(folder, SUMS), (await rclone(['hashsum', 'SHA256', ...CHAIN, join(folder, 'vault')])).text);
    const kinds = KINDS.filter((kind) => hasRclone || !kind.startsWith('rclone'));
    const durable: Partial<Record<Kind, number[]>> = {};
    const busy: Partial<Record<Kind, number[]>> = {};
    const seconds = await inTurns(ROUNDS, kinds, async (kind, round) => {
      const sinks = join(folder, 'sinks');
      const { taken, processors } = await measured(kind, { folder, sinks, round });
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
      peer: { name: hasRclone ? 'five rclone copies, the better way' : 'rclone (not installed)', value: peer },
      limit: { name: 'one read, five durable writes', value: limit },
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Work {
  readonly folder: string;
  readonly sinks: string;
  readonly round: number;
}

/** Seconds, and those of processors. */
interface Measured {
  readonly taken: number;
  readonly processors: number;
}

/** What a member is given, of the vault. */
const CHAIN = ['--include', '/chain/**'];
const SHARED = [...CHAIN, '--include', '/keys/**', '--include', '/format.json'];
const CHILD = join(import.meta.dirname, 'support', 'fan-out-child.ts');
/** Digests of what is sealed, as `sha256sum` writes them: made beforehand, as the sealing is. */
const SUMS = 'sealed.sha256';

async function measured(kind: Kind, { folder, sinks, round }: Work): Promise<Measured> {
  await mkdir(sinks);
  const vault = join(folder, 'vault');
  if (kind === 'ours' || kind === 'limit') {
    const names = MEMBERS.map((name) => `bank-${name}-${round}`);
    const { stdout } = await promisify(execFile)(process.execPath, [CHILD, kind, vault, sinks, ...names]);
    return JSON.parse(stdout) as Measured;
  }
  let processors = 0;
  const taken = await timed(async () => {
    processors = (await rclone(['hashsum', 'SHA256', '--checkfile', join(folder, SUMS), ...CHAIN, vault])).processors;
    processors += await copies(vault, sinks, kind === 'rclone at once');
  });
  return { taken, processors };
}

async function copies(vault: string, sinks: string, atOnce: boolean): Promise<number> {
  const limit = pLimit(atOnce ? MEMBERS.length : 1);
  const each = MEMBERS.map((member) => limit(() => rclone(['copy', ...SHARED, vault, join(sinks, member)])));
  return (await Promise.all(each)).reduce((sum, { processors }) => sum + processors, 0);
}

/** What it prints, and its seconds of processors, of which the shell tells behind it. */
async function rclone(parameters: readonly string[]): Promise<{ text: string; processors: number }> {
  const flags = ['--config', '/dev/null', '--quiet', ...parameters];
  const script = 'rclone "$@" && times >&2';
  const { stdout: text, stderr } = await promisify(execFile)('sh', ['-c', script, 'sh', ...flags]);
  return { text, processors: processorSeconds(stderr) };
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
