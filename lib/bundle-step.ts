import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..');

/** Folders of bundles that this process has made. */
const made = new Set<string>();

/**
 * The bundle of a step: a folder with `index.mjs` in it and nothing else, as Lambda takes it. All steps are bundled at
 * the first call, without docker and in about half a second.
 */
export function bundleStep(stepName: string, outdir: string = join(ROOT, 'cdk.out/bundles')): string {
  if (!made.has(outdir)) {
    const bundler = join(import.meta.dirname, 'bundler.ts');
    execFileSync(process.execPath, [bundler, outdir, ...stepNames()], { stdio: ['ignore', 'inherit', 'inherit'] });
    made.add(outdir);
  }
  return join(outdir, stepName);
}

/** By its folder each step has a name. */
export const stepNames = (): string[] =>
  readdirSync(join(ROOT, 'lambdas'), { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && entry.name !== 'sdk-parts')
    .map(({ name }) => name);
