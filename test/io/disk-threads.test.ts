import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';

/** The threads of a process that has more calls under way than any of the two has threads. */
function threads(environment: NodeJS.ProcessEnv): number {
  const module = fileURLToPath(new URL('../../io/disk-threads.ts', import.meta.url));
  const program = `
    import { pbkdf2 } from 'node:crypto';
    import { readdirSync } from 'node:fs';
    import { openDiskThreads } from ${JSON.stringify(module)};
    openDiskThreads(process.env);
    for (let n = 0; n < 64; n++) pbkdf2('a', 'b', 1, 32, 'sha256', () => {});
    console.log(readdirSync('/proc/self/task').length);`;
  const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
    env: { ...process.env, ...environment },
    encoding: 'utf8',
  });
  return Number(stdout);
}

test('a process has the threads that several disks keep busy, unless somebody has decided otherwise', () => {
  const own = threads({ UV_THREADPOOL_SIZE: '4' });
  const { UV_THREADPOOL_SIZE: _, ...unset } = process.env;
  expect(own).toBeGreaterThan(0);
  expect(threads({ ...unset, UV_THREADPOOL_SIZE: undefined }) - own).toBe(28);
});
