import { readdir, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type BuildOptions, build } from 'esbuild';

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

/** Builds `dist/` from the sources: the CLI, and the workflows it runs. */
async function main(): Promise<void> {
  const { default: manifest } = await import('../package.json', { with: { type: 'json' } });
  const dist = join(root, 'dist');
  const { metafile } = await build(cliBundle(Object.keys(manifest.dependencies), dist));
  await removeStaleChunks(dist, new Set(Object.keys(metafile?.outputs ?? {}).map((output) => resolve(root, output))));
  const { emitWorkflows } = await import('./emit-workflows.ts');
  emitWorkflows(join(dist, 'workflows'));
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
