import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { runCli } from '../support/cli.ts';
import { deliveryWorld } from '../support/delivery-world.ts';
import { unprovenSigner } from '../support/toy-deliveries.ts';

describe('verify of a vault with members', () => {
  let cwd = '';
  const receipt = 'vault/deliveries/bank-b/00000001.json';
  const prove = (...args: string[]) =>
    runCli(['verify', '--vault', './vault', '--public-key', 'public.pem', ...args], { cwd, env: {} });

  beforeAll(async () => {
    cwd = await mkdtemp(join(tmpdir(), 'ledgerhold-members-'));
    const { vault, history, join: joinAs, joinReadable, run, readBack } = deliveryWorld();
    for (const text of ['a', 'b']) await history.seal(Buffer.from(text));
    await joinReadable('bank-a');
    await joinAs('bank-b');
    await run();
    await readBack('bank-a');
    for (const [key, bytes] of vault.objects) {
      await mkdir(dirname(join(cwd, 'vault', key)), { recursive: true });
      await writeFile(join(cwd, 'vault', key), bytes);
    }
    await writeFile(join(cwd, 'public.pem'), await unprovenSigner.publicKeyPem());
  });
  afterAll(() => rm(cwd, { recursive: true, force: true }));

  test.each(['of the newest', '--quick', '--all'])('tells a line of each, and how many are proven: %s', async (how) => {
    const { exit, stdout } = await prove(...(how.startsWith('--') ? [how] : []));
    expect(stdout).toMatch(/^proven {4}member bank-a {2}1 receipts, 12 objects there, 1 proofs$/m);
    expect(stdout).toMatch(/^proven {4}member bank-b {2}1 receipts, 12 objects there, 0 proofs$/m);
    expect(stdout).toContain('1 of 1 chains, 2 of 2 members in');
    expect(exit).toBe(0);
  });

  test('names what is wrong with one, under it and in the answer, and ends with 1', async () => {
    const whole = await readFile(join(cwd, receipt));
    await writeFile(join(cwd, receipt), '{}');
    const [{ exit, stdout }, json] = [await prove(), (await prove('--json')).json()];
    await writeFile(join(cwd, receipt), whole);
    expect(stdout).toMatch(
      /^violated {2}member bank-b {2}1 receipts, 0 proofs\n {10}violation DOCUMENT_DAMAGED: deliveries\/bank-b\/00000001.json/m,
    );
    expect(stdout).toContain('VIOLATED: 1 of 1 chains, 1 of 2 members');
    expect(exit).toBe(1);
    expect(json).toMatchObject({
      code: 'VIOLATED',
      chains: [{ status: 'proven' }],
      members: [
        { member: 'bank-a', status: 'proven', receipts: 1, proofs: 1, totals: { objects: 12 }, head: { seq: 1 } },
        { member: 'bank-b', status: 'violated', receipts: 1, proofs: 0, totals: null, head: null },
      ],
    });
  });
});
