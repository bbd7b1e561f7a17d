import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { build, type Plugin } from 'esbuild';

const ROOT = join(import.meta.dirname, '..');

/** Parts of the SDK that no step needs, a quarter of a bundle: the search for credentials (118 KB), event streams (21). */
const REPLACED = {
  '@aws-sdk/credential-provider-node': join(ROOT, 'lambdas/sdk-parts/credentials.ts'),
  '@smithy/core/event-streams': join(ROOT, 'lambdas/sdk-parts/event-streams.ts'),
};

/** As a client of the SDK registers a class for an error, and as it describes a shape. */
const REGISTRATION = /^n0_registry\.registerError\(.*\);\n/gm;
const SHAPE = /^(export )?var (\w+\$?) = (\[[\s\S]*?\]);$/gm;

/**
 * Leaves out what a client knows of operations that no step calls: each describes all its shapes and errors in one
 * module, and registering an error, or a computed key in a shape, keeps esbuild from dropping them. An error's class is
 * then the service's base class, and its name the code that the service answered with.
 */
const onlyWhatIsCalled: Plugin = {
  name: 'only-what-is-called',
  setup: ({ onLoad }) =>
    onLoad({ filter: /@aws-sdk\/client-[\w-]+\/dist-es\/schemas\/schemas_0\.js$/ }, async ({ path }) => {
      const text = await readFile(path, 'utf8');
      return {
        contents: text.replace(REGISTRATION, '').replace(SHAPE, '$1var $2 = /* @__PURE__ */ (() => $3)();'),
        loader: 'js',
      };
    }),
};

/** Bundles the handlers of these steps, each into a folder of its own in `outdir` with `index.mjs` and nothing else. */
export async function bundleSteps(steps: readonly string[], outdir: string): Promise<void> {
  await build({
    entryPoints: steps.map((step) => ({ in: join(ROOT, 'lambdas', step, 'handler.ts'), out: `${step}/index` })),
    outdir,
    outExtension: { '.js': '.mjs' },
    absWorkingDir: ROOT,
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    // With `main` first the SDK's CommonJS is taken, and dies at load: "Dynamic require of node:https".
    mainFields: ['module', 'main'],
    alias: REPLACED,
    plugins: [onlyWhatIsCalled],
    minify: true,
    // Retry lists match errors by the names of their classes.
    keepNames: true,
    legalComments: 'none',
    charset: 'utf8',
    logLevel: 'error',
  });
}

/**
 * The program of the dump task as one file, `index.mjs`. It is the CLI's, so the SDK is whole: a task's credentials come
 * from an address that ECS gives it. What is written as CommonJS asks for `require`.
 */
export async function bundleTask(outdir: string): Promise<void> {
  await build({
    entryPoints: [{ in: join(ROOT, 'bin/dump-task.ts'), out: 'index' }],
    outdir,
    outExtension: { '.js': '.mjs' },
    absWorkingDir: ROOT,
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    mainFields: ['module', 'main'],
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
    // `pg` looks for it, and does without.
    external: ['pg-native'],
    keepNames: true,
    legalComments: 'none',
    charset: 'utf8',
    logLevel: 'error',
  });
}

/** `node bundler.ts OUTDIR STEP…` or `--dump-task OUTDIR`: constructs are made without waiting, and plugins are not. */
if (import.meta.main) {
  const [first = '', ...rest] = process.argv.slice(2);
  if (first === '--dump-task') await bundleTask(rest[0] ?? '');
  else await bundleSteps(rest, first);
}
