import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';

const ROOT = join(import.meta.dirname, '../..');

test('an environment, input, output or error that is not in the contract does not compile', () => {
  const folder = mkdtempSync(join(tmpdir(), 'ledgerhold-types-'));
  try {
    for (const each of ['core', 'lambdas', 'lib', 'vault', 'protocols', 'io', 'node_modules', 'package.json']) {
      symlinkSync(join(ROOT, each), join(folder, each));
    }
    const lines = readFileSync(join(import.meta.dirname, 'step-lambda.ts'), 'utf8').split('\n');
    const expected = lines.flatMap((line, index) => (line.includes('@ts-expect-error ') ? [index + 2] : []));
    expect(expected).toHaveLength(6);
    mkdirSync(join(folder, 'test/types'), { recursive: true });
    const broken = lines.map((line) => line.replace('@ts-expect-error', 'broken:')).join('\n');
    writeFileSync(join(folder, 'test/types/broken.ts'), broken);
    writeFileSync(join(folder, 'tsconfig.json'), tsconfig());

    const { stdout, status } = spawnSync(join(ROOT, 'node_modules/.bin/tsc'), ['-p', folder, '--pretty', 'false']);
    expect(status).not.toBe(0);
    const found = [...String(stdout).matchAll(/broken\.ts\((\d+),\d+\): error/g)].map(([, line]) => Number(line));
    expect(found).toEqual(expected);
  } finally {
    rmSync(folder, { recursive: true });
  }
}, 60_000);

const tsconfig = () => JSON.stringify({ extends: join(ROOT, 'tsconfig.json'), include: ['test/types'] });
