import { execFileSync } from 'node:child_process';
import { copyFileSync, cpSync, existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { canonicalBytes } from '../core/canonical.ts';
import { LIST_FILE } from '../core/member-list.ts';

const ROOT = join(import.meta.dirname, '..');

/** In the published package this file is part of `dist/cdk.js`, and the bundles lie beside it; a checkout has none here. */
const PREBUILT = join(import.meta.dirname, 'lambdas');

/** Folders of bundles that this process has made. */
const made = new Set<string>();

/**
 * The bundle of a step: a folder with `index.mjs` in it and nothing else, as Lambda takes it. All steps are bundled at
 * the first call, without docker and in about half a second; the published package brings them.
 */
export function bundleStep(stepName: string, outdir: string = join(ROOT, 'cdk.out/bundles')): string {
  if (existsSync(PREBUILT)) return join(PREBUILT, stepName);
  if (!made.has(outdir)) {
    const bundler = join(import.meta.dirname, 'bundler.ts');
    execFileSync(process.execPath, [bundler, outdir, ...stepNames()], { stdio: ['ignore', 'inherit', 'inherit'] });
    made.add(outdir);
  }
  return join(outdir, stepName);
}

/** A copy of a step's bundle with a list beside it, in `folder`. The same list, in whatever order, makes the same bytes. */
export function bundleWithList(stepName: string, list: object, folder: string): string {
  rmSync(folder, { recursive: true, force: true });
  cpSync(bundleStep(stepName), folder, { recursive: true });
  writeFileSync(join(folder, LIST_FILE), canonicalBytes(list));
  return folder;
}

/** What the image of the dump task is built from: its Dockerfile, and the program as one file. */
export function bundleDumpTask(outdir: string = join(ROOT, 'cdk.out/dump-image')): string {
  if (existsSync(PREBUILT)) return join(PREBUILT, '../dump-image');
  const bundler = join(import.meta.dirname, 'bundler.ts');
  execFileSync(process.execPath, [bundler, '--dump-task', outdir], { stdio: ['ignore', 'inherit', 'inherit'] });
  copyFileSync(join(ROOT, 'docker/dump/Dockerfile'), join(outdir, 'Dockerfile'));
  return outdir;
}

/** By its folder each step has a name. */
export const stepNames = (): string[] =>
  readdirSync(join(ROOT, 'lambdas'), { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && entry.name !== 'sdk-parts')
    .map(({ name }) => name);
