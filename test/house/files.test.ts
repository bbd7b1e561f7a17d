import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from '@jest/globals';

const root = resolve(import.meta.dirname, '../..');
const read = (file: string) => readFileSync(join(root, file), 'utf8');
const json = <T = Record<string, unknown>>(file: string) => JSON.parse(read(file)) as T;

/** Tracked and new files, as a commit would have them; where there is no git, as in a tarball, none. */
function sources(): string[] {
  if (!existsSync(join(root, '.git'))) return [];
  const listed = execFileSync('git', ['ls-files', '-co', '--exclude-standard'], { cwd: root, encoding: 'utf8' });
  return listed.split('\n').filter((file) => file !== '' && existsSync(join(root, file)));
}

describe('the house', () => {
  test('has no source file of more than 250 lines, and no test of more than 400', () => {
    const long = sources()
      .filter((file) => /\.(ts|js)$/.test(file))
      .map((file) => ({ file, lines: read(file).split('\n').length - 1 }))
      .filter(({ file, lines }) => lines > (file.startsWith('test/') ? 400 : 250));
    expect(long).toEqual([]);
  });

  test('has its licence, and says the same in package.json', () => {
    expect(read('LICENSE')).toContain('Apache License');
    expect(json('package.json')['license']).toBe('Apache-2.0');
  });

  test('locks packages by digest and not by host; those of other systems by version at least', () => {
    const odd = Object.entries(locked()).filter(
      ([path, { resolved, integrity, inBundle, optional }]) =>
        path !== '' && (resolved !== undefined || (integrity ?? inBundle ?? optional) === undefined),
    );
    expect(odd.map(([path]) => path)).toEqual([]);
  });

  test('locks the packages of every system, or npm ci refuses the file', () => {
    const packages = locked();
    const missing = Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) =>
      Object.keys(optionalDependencies).filter(
        (name) =>
          packages[`node_modules/${name}`] === undefined && packages[`${path}/node_modules/${name}`] === undefined,
      ),
    );
    expect(missing).toEqual([]);
  });

  test('depends at run time only on packages whose licences let it be used anywhere', () => {
    const permissive = /^(Apache-2\.0|MIT|ISC|BSD-[23]-Clause|0BSD|BlueOak-1\.0\.0|Unlicense|PostgreSQL|CC0-1\.0)$/;
    const odd = [...runtimePackages()]
      .map((name) => ({ name, licence: String(json(`node_modules/${name}/package.json`)['license']) }))
      .filter(
        ({ licence }) =>
          !licence
            .replace(/[()]/g, '')
            .split(/ (?:OR|AND) /)
            .every((one) => permissive.test(one)),
      );
    expect(odd).toEqual([]);
  });
});

interface Locked {
  readonly resolved?: string;
  readonly integrity?: string;
  readonly inBundle?: true;
  readonly dev?: true;
  readonly optional?: true;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

const locked = () => json<{ packages: Record<string, Locked> }>('package-lock.json').packages;

/** Runtime dependencies and theirs, as far as they are hoisted: every one that a user installs. */
function runtimePackages(): Set<string> {
  const names = Object.entries(locked())
    .filter(([path, { dev, optional }]) => path !== '' && dev !== true && optional !== true)
    .map(([path]) => path.replace(/^node_modules\//, ''));
  return new Set(names.filter((name) => existsSync(join(root, 'node_modules', name))));
}
