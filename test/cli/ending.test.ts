import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { runCli } from '../support/cli.ts';

test.each([
  [3_000, 1],
  [0, 0],
])('who has pressed Ctrl-C is told, once, when it takes long: of an end %i ms later %i times', async (ms, times) => {
  const cwd = await mkdtemp(join(tmpdir(), 'ledgerhold-ending-'));
  const config = join(cwd, 'ledgerhold.yaml');
  // Nothing can break off the opening of a pipe that nobody writes to.
  execFileSync('mkfifo', [config]);
  const ended = runCli(['status'], {
    ...{ cwd, env: {} },
    onStart: (send) => {
      send('SIGINT');
      send('SIGINT');
    },
  });
  await sleep(ms);
  await writeFile(config, 'network: acme');
  const { exit, stderr } = await ended;
  expect(stderr.split('The same signal again ends at once').length - 1).toBe(times);
  expect(exit).toBe(130);
  await rm(cwd, { recursive: true });
});
