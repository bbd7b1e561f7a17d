import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { ALARMS, type AlarmName, runbookOf } from '../../local/alarms.ts';

const root = join(import.meta.dirname, '../..');
const names = Object.keys(ALARMS) as AlarmName[];

describe('runbooks', () => {
  test('are one for each alarm, and no other', async () => {
    const files = await readdir(join(root, 'docs/runbooks'));
    expect(files.map((file) => `docs/runbooks/${file}`).sort()).toEqual(names.map(runbookOf).sort());
  });

  test.each(names)('of %s say what it means, where to look, what to do and what not', async (name) => {
    const text = await readFile(join(root, runbookOf(name)), 'utf8');
    expect(text.match(/^#+ .*$/gm)).toEqual([`# ${name}`, '## Means', '## Look', '## Do', '## Do not']);
    const links = [...text.matchAll(/\]\(([^)]+)\)/g)].map(([, target = '']) => target);
    expect(links.filter((target) => !existsSync(join(root, 'docs/runbooks', target)))).toEqual([]);
  });
});
