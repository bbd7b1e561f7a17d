import { execFileSync } from 'node:child_process';
import { copyFile, readdir, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type BuildOptions, build } from 'esbuild';
import { stepNames } from '../lib/bundle-step.ts';
import { bundleSteps, bundleTask } from '../lib/bundler.ts';

const root = resolve(import.meta.dirname, '..');

/** Small, and wanted by nearly every start: in the bundle they cost no walk through node_modules. All others stay out. */
const BUNDLED = new Set(['commander', 'zod', 'canonicalize']);

/** The CLI as one entry and chunks that are loaded when a verb needs them. */
export const cliBundle = (dependencies: readonly string[], outdir: string): BuildOptions => ({
  absWorkingDir: root,
  // What runs in threads of its own is an entry of its own.
  entryPoints: {
    ledgerhold: 'bin/ledgerhold.ts',
    'verify-file-worker': 'protocols/ethereum/verify-file-worker.ts',
  },
  outdir,
  bundle: true,
  splitting: true,
  chunkNames: 'chunks/[name]-[hash]',
  platform: 'node',
  format: 'esm',
  target: 'node22.15',
  banner: { js: '#!/usr/bin/env node' },
  // Errors are told apart by their classes' names.
  keepNames: true,
  external: dependencies.filter((name) => !BUNDLED.has(name)).flatMap((name) => [name, `${name}/*`]),
  legalComments: 'linked',
  logLevel: 'warning',
  metafile: true,
});

/** The constructs, as an app of one's own imports them; everything that they import stays out. */
const cdkBundle = (packages: readonly string[], outdir: string): BuildOptions => ({
  absWorkingDir: root,
  entryPoints: ['lib/cdk.ts'],
  outdir,
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node22.15',
  keepNames: true,
  external: packages.flatMap((name) => [name, `${name}/*`]),
  legalComments: 'none',
  logLevel: 'warning',
});

/** Builds `dist/` from the sources: the CLI, the workflows it runs, and the constructs with the bundles of their steps. */
async function main(): Promise<void> {
  const { default: manifest } = await import('../package.json', { with: { type: 'json' } });
  const dist = join(root, 'dist');
  const { metafile } = await build(cliBundle(Object.keys(manifest.dependencies), dist));
  await removeStaleChunks(dist, new Set(Object.keys(metafile?.outputs ?? {}).map((output) => resolve(root, output))));
  const { emitWorkflows } = await import('./emit-workflows.ts');
  emitWorkflows(join(dist, 'workflows'));
  const peers = Object.keys(manifest.peerDependencies);
  await build(cdkBundle([...Object.keys(manifest.dependencies), ...peers], dist));
  // Only the package is served from these two: a checkout reads the sources.
  for (const folder of ['lambdas', 'dump-image', 'types'])
    await rm(join(dist, folder), { recursive: true, force: true });
  await bundleSteps(stepNames(), join(dist, 'lambdas'));
  await bundleTask(join(dist, 'dump-image'));
  await copyFile(join(root, 'docker/dump/Dockerfile'), join(dist, 'dump-image/Dockerfile'));
  execFileSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', 'tsconfig.cdk.json'], {
    cwd: root,
  });
}

/** After the build, not before it: whoever runs the CLI meanwhile finds either the old chunks or the new ones. */
async function removeStaleChunks(dist: string, written: ReadonlySet<string>): Promise<void> {
  const folder = join(dist, 'chunks');
  for (const name of await readdir(folder)) {
    const file = join(folder, name);
    if (!written.has(file)) await rm(file);
  }
}

if (import.meta.main) await main();
