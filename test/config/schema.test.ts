import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { jsonSchema } from '../../config/json-schema.ts';

describe('the JSON Schema', () => {
  test('in the repository is that of the config (node scripts/generate-config-schema.ts)', () => {
    const stored = readFileSync(new URL('../../config/ledgerhold.schema.json', import.meta.url), 'utf8');
    expect(JSON.parse(stored)).toEqual(JSON.parse(JSON.stringify(jsonSchema())));
  });
});
