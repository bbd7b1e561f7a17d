import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import { openLargePipe } from '../../io/large-pipe.ts';

async function writer(script: string) {
  const pipe = await openLargePipe();
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', pipe.writeEnd, 'ignore'] });
  await pipe.closeWriteEnd();
  return { pipe, child, ended: once(child, 'exit') };
}

/** Writes `0 1 2 …` up to the count, some lines at a time. */
const counting = (count: number) =>
  `const fs = require('node:fs'); let lines = '';
   for (let i = 0; i < ${count}; i += 1) { lines += i + '\\n'; if (lines.length > 6000) { fs.writeSync(1, lines); lines = ''; } }
   fs.writeSync(1, lines);`;

describe('a large pipe', () => {
  test('brings every byte in order, in few pieces, to a reader that is slower than the writer', async () => {
    const { pipe, ended } = await writer(counting(400_000));
    let text = '';
    let pieces = 0;
    for await (const piece of pipe.pieces) {
      text += piece.toString('latin1');
      pieces += 1;
      if (pieces % 3 === 0) await sleep(5);
    }
    expect(text === Array.from({ length: 400_000 }, (_, i) => `${i}\n`).join('')).toBe(true);
    expect(pieces).toBeLessThan(text.length / 150_000);
    expect(await ended).toEqual([0, null]);
  });

  test('of which nothing is written ends', async () => {
    const { pipe } = await writer('');
    for await (const piece of pipe.pieces) expect(piece).toBeUndefined();
  });

  test('that is closed early tells the writer', async () => {
    const { pipe, ended } = await writer(counting(50_000_000));
    for await (const piece of pipe.pieces) {
      expect(piece.length).toBeGreaterThan(0);
      break;
    }
    pipe.close();
    const [status] = (await ended) as [number | null];
    expect(status).not.toBe(0);
  });
});
