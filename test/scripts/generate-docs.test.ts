import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { cliReference } from '../../scripts/generate-docs.ts';

describe('docs/cli.md', () => {
  test('is what the command line says of itself (node scripts/generate-docs.ts)', async () => {
    const stored = readFileSync(new URL('../../docs/cli.md', import.meta.url), 'utf8');
    expect(stored).toBe(await cliReference());
  });
});
