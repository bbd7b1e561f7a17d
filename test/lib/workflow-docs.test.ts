import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { allowed } from '../../core/allowed-asl.ts';
import { workflowPage } from '../../scripts/document-workflows.ts';
import { emitted } from '../support/workflows.ts';

test('the page of the backup is made of its definition; if not: node scripts/document-workflows.ts', () => {
  const page = readFileSync(join(import.meta.dirname, '../../docs/workflows/backup.md'), 'utf8');
  expect(page).toBe(workflowPage('backup', allowed(emitted('backup'))));
});
