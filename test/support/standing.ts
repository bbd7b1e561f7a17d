import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import { runCli } from './cli.ts';
import type { CliWorld, Said } from './cli-world.ts';

/** What anybody can see of a vault. */
export interface Standing {
  readonly sets: readonly string[];
  readonly proof: string;
  readonly files: readonly string[];
}

/** As `sets` and `verify --all` tell it, and every file that lies there. `vault`: another than the config's. */
export async function standing({ folder: cwd }: CliWorld, vault = join(cwd, 'vault')): Promise<Standing> {
  const sets = await runCli(['sets', '--vault', vault, '--json'], { cwd });
  const proof = await runCli(['verify', '--all', '--vault', vault, '--public-key', 'public-key.pem', '--json'], {
    cwd,
  });
  const found = sets.json()['sets'] as { set: string; manifest: string }[];
  return {
    sets: found.map(({ set, manifest }) => `${set} ${manifest}`),
    proof: `${proof.exit} ${proof.json()['code'] as string}`,
    files: await filesOf(vault),
  };
}

export async function filesOf(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort();
}

/** The last line of stdout is the one object, and it says what to do. */
export function expectFailure(said: Said, status: number, name: string): void {
  const { ok, error } = said.json;
  expect({ status: said.status, ok, name: error?.name, said: error?.message }).toEqual({
    ...{ status, ok: false, name },
    said: expect.stringMatching(/\w/),
  });
  expect(error?.remedy).toMatch(/\w/);
  expect(said.stdout.trimEnd().split('\n')).toHaveLength(1);
  expect(said.stderr).toContain(`${name}: `);
}

/** After a failed run: the same sets, the same proof; new are only leases and what lies under the run's own fence. */
export function expectNothingVisible(before: Standing, after: Standing): void {
  expect({ sets: after.sets, proof: after.proof }).toEqual({ sets: before.sets, proof: before.proof });
  const fresh = after.files.filter((file) => !before.files.includes(file));
  expect(fresh.filter((file) => !/^(?:leases|sets\/[^/]+\/runs)\//.test(file))).toEqual([]);
}
