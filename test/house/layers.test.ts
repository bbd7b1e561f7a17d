import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

const root = resolve(import.meta.dirname, '../..');

/** For each folder: what it may import, and what it may not. */
const LAYERS: readonly (readonly [file: string, may: readonly string[], mayNot: readonly string[]])[] = [
  [
    'core/x.ts',
    ['./names.ts', 'zod', 'canonicalize'],
    ['node:fs', '../io/age.ts', '@aws-sdk/client-s3', 'aws-cdk-lib'],
  ],
  [
    'protocols/toy/x.ts',
    ['../../core/names.ts', '../../io/http.ts', 'node:crypto'],
    ['../../aws/open.ts', '../../vault/sets.ts', '../../cli/run.ts', '@aws-sdk/client-s3'],
  ],
  [
    'io/x.ts',
    ['../core/names.ts', 'node:fs', 'undici'],
    ['../protocols/registry.ts', '../vault/sets.ts', '@aws-sdk/client-s3', 'aws-cdk-lib'],
  ],
  [
    'vault/x.ts',
    ['../core/names.ts', '../protocols/protocol.ts', '../io/digest.ts'],
    ['../local/disk.ts', '../aws/open.ts', '../cli/run.ts', '@aws-sdk/client-s3'],
  ],
  [
    'aws/x.ts',
    ['../core/names.ts', '../vault/keys.ts', '@aws-sdk/client-s3'],
    ['../local/disk.ts', '../lib/storage.ts', '../protocols/registry.ts', 'aws-cdk-lib'],
  ],
  [
    'local/x.ts',
    ['../core/names.ts', '../vault/keys.ts', '../io/digest.ts'],
    ['../aws/open.ts', '../lambdas/claim-slot/run.ts', '../cli/run.ts', '@aws-sdk/client-s3'],
  ],
  [
    'lambdas/claim-slot/contract.ts',
    ['../../core/run.ts', 'zod'],
    ['../../vault/sets.ts', '@aws-sdk/client-s3', 'aws-cdk-lib', 'node:fs'],
  ],
  [
    'lambdas/claim-slot/run.ts',
    ['./contract.ts', '../../vault/sets.ts', '../../protocols/protocol.ts'],
    ['../../aws/open.ts', '../../local/disk.ts', '@aws-sdk/client-s3', 'aws-cdk-lib'],
  ],
  [
    'lambdas/claim-slot/handler.ts',
    ['./run.ts', '../../aws/open.ts', '@aws-sdk/client-s3'],
    ['../../lib/storage.ts', '../../cli/run.ts', '../../local/disk.ts', 'aws-cdk-lib'],
  ],
  [
    'lib/x.ts',
    ['../core/run.ts', '../lambdas/claim-slot/contract.ts', '../config/schema.ts', 'aws-cdk-lib'],
    ['../lambdas/claim-slot/run.ts', '../lambdas/claim-slot/handler.ts', '../aws/open.ts', '@aws-sdk/client-s3'],
  ],
  [
    'config/x.ts',
    ['../core/run.ts', '../protocols/registry.ts', 'yaml'],
    ['../io/age.ts', '../cli/run.ts', '@aws-sdk/client-s3', 'aws-cdk-lib'],
  ],
  [
    'demo/x.ts',
    ['../core/names.ts', '../io/digest.ts'],
    ['../cli/run.ts', '../vault/sets.ts', '../local/disk.ts', '@aws-sdk/client-s3'],
  ],
  [
    'cli/x.ts',
    ['../core/run.ts', '../config/schema.ts', '../aws/open.ts', '../local/disk.ts', '../vault/sets.ts'],
    [
      '../lib/storage.ts',
      '../lambdas/claim-slot/handler.ts',
      '../lambdas/claim-slot/run.ts',
      '@aws-sdk/client-s3',
      'aws-cdk-lib',
    ],
  ],
];

describe('the layers', () => {
  let dir = '';
  let problems: readonly { readonly file: string; readonly line: number }[] = [];

  // One file per folder, one import a line, allowed ones first; one run of the linter for all of them.
  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), 'ledgerhold-layers-'));
    cpSync(join(root, '.oxlintrc.json'), join(dir, '.oxlintrc.json'));
    for (const [file, may, mayNot] of LAYERS) {
      mkdirSync(dirname(join(dir, file)), { recursive: true });
      const imports = [...may, ...mayNot].map((name) => `export * from '${name}';`);
      // The last one once more, by a call: lazy loading is no way around.
      writeFileSync(join(dir, file), [...imports, `export const lazy = import('${mayNot.at(-1)}');`, ''].join('\n'));
    }
    problems = lint(dir);
  });
  afterAll(() => rmSync(dir, { recursive: true, force: true }));

  test.each(LAYERS)('%s imports what it may, and nothing that it may not, even lazily', (file, may, mayNot) => {
    const lines = problems.filter((problem) => problem.file === file).map(({ line }) => line);
    const forbidden = [...mayNot, 'lazy'].map((_, index) => may.length + index + 1);
    expect(lines.sort((a, b) => a - b)).toEqual(forbidden);
  });

  test('core has neither clock nor chance nor environment', () => {
    writeFileSync(join(dir, 'core/x.ts'), 'export const bad = [Date.now(), Math.random(), process.env, fetch];\n');
    expect(lint(dir, '').filter(({ file }) => file === 'core/x.ts')).toHaveLength(4);
  });
});

function lint(dir: string, rule = 'no-restricted-imports'): { file: string; line: number }[] {
  const { diagnostics } = JSON.parse(oxlint(dir)) as {
    diagnostics: { code: string; filename: string; labels: { span: { line: number } }[] }[];
  };
  return diagnostics
    .filter(({ code }) => code.includes(rule === '' ? 'no-restricted' : rule))
    .map(({ filename, labels }) => ({ file: filename, line: labels[0]?.span.line ?? 0 }));
}

function oxlint(dir: string): string {
  try {
    return execFileSync(join(root, 'node_modules/.bin/oxlint'), ['--format', 'json', '.'], {
      cwd: dir,
      encoding: 'utf8',
    });
  } catch (error) {
    // It ends with 1 when it has found something.
    return (error as { stdout: string }).stdout;
  }
}
