import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { type Destination, MemberUnavailable } from '../core/delivery.ts';
import { openDiskThreads } from '../io/disk-threads.ts';
import type { BenchResult } from './result.ts';
import { chainVault, MemberFolders } from './support/member-folders.ts';
import { inTurns, median, timed } from './support/rounds.ts';

/** Odd, so that the median is a measurement. */
const PAIRS = Number(process.env['ROUNDS'] ?? 5);
const SHAPE = { files: 200, size: 4_195_000, filesAManifest: 100 } as const;
const HEALTHY = Array.from({ length: 9 }, (_, n) => `bank-${n}`);
const DEAD = 'bank-dead';
const AT_MOST = 1.02;
/** Of each member's line: bytes a second (1 Gbit/s) and seconds until an object is acknowledged. */
const LINE = { rate: 125_000_000, answer: 0.005 } as const;

/**
 * Until nine members have every file and its record, with and without a tenth whose store takes nothing and never
 * answers. Their stores forget what they take, at the pace of a line: ten folders of one disk differ among themselves by
 * more than is measured.
 */
export async function run(): Promise<BenchResult> {
  openDiskThreads(process.env);
  const folder = mkdtempSync(join(tmpdir(), 'ledgerhold-dead-member-'));
  try {
    const vault = await chainVault(join(folder, 'vault'), SHAPE);
    const kinds = ['nine', 'nine and a dead one'] as const;
    const seconds = await inTurns(PAIRS, kinds, async (kind, round) => {
      const end = new AbortController();
      const own = (name: string) => `${name}-${kind.length}-${round}`;
      const names = [...HEALTHY, ...(kind === 'nine' ? [] : [DEAD])].map(own);
      const standIn = (member: string) => (member.startsWith(DEAD) ? dead(end.signal) : line());
      const members = new MemberFolders(vault, join(folder, 'sinks'), names, standIn);
      await members.join();
      let delivery: Promise<unknown> = Promise.resolve();
      const taken = await timed(
        () =>
          new Promise<void>((resolve, reject) => {
            let left = HEALTHY.length * SHAPE.files;
            delivery = members.deliver((_, item) => {
              if (item.key.includes('/records/') && (left -= 1) === 0) resolve();
            });
            delivery.catch(reject);
          }),
      );
      end.abort();
      await delivery;
      return taken;
    });
    const [nine, ten] = [median(seconds.nine), median(seconds['nine and a dead one'])];
    const ratios = seconds.nine.map((value, n) => (seconds['nine and a dead one'][n] ?? Number.NaN) / value);
    console.log(`ratios of the pairs: ${ratios.map((each) => each.toFixed(3)).join(', ')}`);
    return {
      ...{ name: 'dead-member', unit: 's', ours: ten, ratio: median(ratios) },
      peer: { name: 'the nine alone', value: nine },
      limit: { name: `${AT_MOST} × the nine alone`, value: AT_MOST * nine },
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A stand-in for a store that takes what it is given at the pace of its line. */
function line(): Destination {
  let free = 0;
  const pass = (seconds: number, signal: AbortSignal) => {
    free = Math.max(free, performance.now()) + seconds * 1000;
    return setTimeout(Math.max(1, free - performance.now()), undefined, { signal });
  };
  return {
    ...{ url: 'file:///line', copies: false, check: async () => [] },
    put: async (_item, body, signal) => {
      for await (const chunk of body()) await pass(chunk.length / LINE.rate, signal);
      await setTimeout(LINE.answer * 1000, undefined, { signal });
      return { outcome: 'written' };
    },
  };
}

/** A stand-in for a store on a line that is dead: it answers once the line is cut. */
function dead(line: AbortSignal): Destination {
  const hang = (signal: AbortSignal) =>
    new Promise<never>((_, reject) => {
      const cut = AbortSignal.any([line, signal]);
      const end = () => reject(signal.aborted ? signal.reason : new MemberUnavailable('it does not answer', 'Wait.'));
      if (cut.aborted) end();
      else cut.addEventListener('abort', end, { once: true });
    });
  return { url: 'file:///dead', copies: false, check: async () => [], put: (_item, _body, signal) => hang(signal) };
}
