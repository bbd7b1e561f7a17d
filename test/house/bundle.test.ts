import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Metafile } from 'esbuild';
import { cliBundle } from '../../scripts/build.ts';

const root = resolve(import.meta.dirname, '../..');
const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  dependencies: Record<string, string>;
};

describe('the CLI’s bundle', () => {
  let dir = '';
  let outputs: Metafile['outputs'] = {};
  const program = () => join(dir, 'dist/ledgerhold.js');

  // By a process of its own: esbuild mistakes Jest's realm for a broken one. Far from any node_modules.
  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), 'ledgerhold-bundle-'));
    writeFileSync(
      join(dir, 'package.json'),
      JSON.stringify({ name: 'ledgerhold', version: '9.9.9', type: 'module', engines: { node: '>=22.15' } }),
    );
    const options = cliBundle(Object.keys(dependencies), join(dir, 'dist'));
    const script = `import { build } from 'esbuild';
      const { metafile } = await build(${JSON.stringify(options)});
      console.log(JSON.stringify(metafile.outputs));`;
    outputs = JSON.parse(
      execFileSync(process.execPath, ['--input-type=module', '-e', script], { cwd: root, encoding: 'utf8' }),
    );
  });
  afterAll(() => rmSync(dir, { recursive: true, force: true }));

  test('imports no CDK, and outside itself only dependencies and Node', () => {
    const outside = Object.values(outputs).flatMap(({ imports }) =>
      imports.filter(({ external }) => external).map(({ path }) => path),
    );
    const packages = new Set(outside.filter((path) => !path.startsWith('node:')).map(packageOf));
    const unknown = [...packages].filter((name) => dependencies[name] === undefined && !BUILTIN.has(name));
    expect(unknown).toEqual([]);
    expect(
      Object.values(outputs)
        .flatMap(({ inputs }) => Object.keys(inputs))
        .filter((file) => /^lib\/|cdk/.test(file)),
    ).toEqual([]);
  });

  test('has the module of its threads beside it', () => {
    expect(Object.keys(outputs).map((file) => file.split('/').at(-1))).toContain('verify-file-worker.js');
  });

  test('shows its help and version without any package installed', () => {
    const help = spawnSync(process.execPath, [program(), '--help'], { encoding: 'utf8' });
    expect(help).toMatchObject({ status: 0, stderr: '' });
    expect(help.stdout).toContain('Exit codes:');
    expect(execFileSync(process.execPath, [program(), '--version'], { encoding: 'utf8' })).toBe('9.9.9\n');
  });

  // The time itself is measured by `npm run bench -- help`; a test of milliseconds would fail on a busy machine.
  test('shows its help in a few times what Node takes to start', () => {
    const took = (args: string[]) => Math.min(...[1, 2, 3].map(() => millisecondsOf(args)));
    expect(took([program(), '--help']) / took(['-e', '0'])).toBeLessThan(6);
  });

  test('keeps the names of error classes', () => {
    const config = join(dir, 'none.yaml');
    const { status, stdout } = spawnSync(process.execPath, [program(), 'bakup', '--json', '--config', config], {
      encoding: 'utf8',
    });
    expect(status).toBe(2);
    expect(JSON.parse(stdout)).toMatchObject({ error: { name: 'UsageError' } });
  });
});

const BUILTIN = new Set(['fs', 'path', 'process', 'events', 'child_process', 'stream', 'os', 'util', 'crypto']);

const packageOf = (path: string): string =>
  path
    .split('/')
    .slice(0, path.startsWith('@') ? 2 : 1)
    .join('/');

function millisecondsOf(args: string[]): number {
  const start = performance.now();
  spawnSync(process.execPath, args);
  return performance.now() - start;
}
