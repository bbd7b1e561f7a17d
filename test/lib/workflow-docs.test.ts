import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { allowed } from '../../core/allowed-asl.ts';
import { workflowPage } from '../../scripts/document-workflows.ts';
import { emitted } from '../support/workflows.ts';

test.each(['backup', 'chain', 'retention', 'second-vault'] as const)(
  'the page of %s is made of it; if not: node scripts/document-workflows.ts',
  (name) => {
    const page = readFileSync(join(import.meta.dirname, `../../docs/workflows/${name}.md`), 'utf8');
    expect(page).toBe(workflowPage(name, allowed(emitted(name))));
  },
);
