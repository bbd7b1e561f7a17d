import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { freePorts, startKept } from '../../io/kept-program.ts';
import { processes, soon } from '../support/processes.ts';

const sleeps = (seconds: string) => async () =>
  (await processes()).some(({ line }) => line.startsWith(`sleep ${seconds} `)) ? true : undefined;
const gone = (seconds: string) => async () => ((await sleeps(seconds)()) === undefined ? true : undefined);

test('a program’s status and its complaints are passed on', async () => {
  const { ended } = startKept(['sh', '-c', 'echo chatter; echo complaint >&2; exit 7'], { PATH: '/usr/bin:/bin' });
  expect(await ended).toEqual({ status: 7, signal: null, said: 'complaint' });
});

test('a program is asked to end, and has the time to put its data in order', async () => {
  const orderly = 'trap "sleep 0.3; echo in order >&2; exit 3" TERM; while :; do sleep 0.05; done';
  const program = startKept(['sh', '-c', orderly], { PATH: '/usr/bin:/bin' });
  await soon(sleeps('0.05'), 5000, 'the program');
  await Promise.all([program.stop(), program.stop()]);
  expect(await program.ended).toMatchObject({ status: 3, said: 'in order' });
});

test('a program ends with us, even if we are killed', async () => {
  const seconds = '4711.25';
  const script = `import { startKept } from '${join(import.meta.dirname, '../../io/kept-program.ts')}';
    startKept(['sleep', '${seconds}'], { PATH: '/usr/bin:/bin' });
    setInterval(() => {}, 1000);`;
  const us = spawn(process.execPath, ['--input-type=module', '-e', script]);
  await soon(sleeps(seconds), 10_000, 'the program');
  us.kill('SIGKILL');
  await once(us, 'exit');
  await soon(gone(seconds), 5000, 'its end');
});

test('free ports are all different', async () => {
  expect(new Set(await freePorts(5)).size).toBe(5);
});
