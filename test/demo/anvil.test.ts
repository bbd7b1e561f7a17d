import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { findAnvil, startAnvil } from '../../demo/anvil.ts';

test('the program of a chain’s node is not looked for beyond what npm has installed', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'ledgerhold-anvil-'));
  try {
    expect(findAnvil(join(folder, 'program.js'))).toBeUndefined();
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('a node that ends instead of answering is named, with what it ended with', async () => {
  const started = startAnvil({ binary: '/bin/false', name: 'bank-a', port: 1, genesis: '', chainId: 1 });
  await expect(started).rejects.toMatchObject({
    name: 'DemoNodeFailed',
    message: expect.stringMatching(/^bank-a does not start: it ended with 1/),
  });
});
