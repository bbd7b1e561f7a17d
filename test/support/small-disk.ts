import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe } from '@jest/globals';

const run = promisify(execFile);

/** A file system of `size`, such as `64m`, at `folder`, until `work` ends. */
export async function onSmallDisk(folder: string, size: string, work: () => Promise<void>): Promise<void> {
  await mkdir(folder);
  await run('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', folder]);
  try {
    await work();
  } finally {
    await run('umount', ['-l', folder]);
  }
}

/** Not even root may mount in some containers. */
async function mayMount(): Promise<boolean> {
  const folder = join(await mkdtemp(join(tmpdir(), 'ledgerhold-mount-')), 'disk');
  const mounted = await onSmallDisk(folder, '1m', async () => {}).then(
    () => true,
    () => false,
  );
  await rm(join(folder, '..'), { recursive: true });
  return mounted;
}

const mounts = await mayMount();

/** `describe`, skipped by name where this process may not mount a file system. */
export const describeWithMount: (name: string, tests: () => void) => void = mounts
  ? describe
  : (name, tests) => describe.skip(`${name} (no right to mount a file system)`, tests);
