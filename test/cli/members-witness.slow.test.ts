import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { type ChainCli, chainCli } from '../support/chain-cli.ts';
import { runCli } from '../support/cli.ts';

jest.setTimeout(60_000);

let world: ChainCli;
let now: Date;
const cli: ChainCli['cli'] = (...args) => world.cli(...args);
const shareOf = (member: string) => join(world.cwd, member, 'ledgerhold/acme', member);
const verify = (member: string, ...args: string[]) =>
  cli('verify', '--vault', shareOf(member), '--public-key', 'public-key.pem', ...args);
const filesOf = async (member: string) =>
  (await readdir(join(shareOf(member), 'chain/consortium'))).filter((name) => name.includes('.rlp'));

beforeEach(async () => {
  now = new Date('2026-11-01T00:00:30Z');
  world = await chainCli(32, () => now);
  world.node.setHead(23);
  for (const member of ['bank-a', 'bank-b']) await mkdir(join(world.cwd, member));
  await cli('backup');
  await cli('members', 'add', 'bank-a', '--folder', 'bank-a', '--deliver', '--no-chain-files');
  await cli('deliver');
});
afterEach(async () => world[Symbol.asyncDispose]());

/** The chain grows by a file, and what is new is delivered. */
async function grow(): Promise<void> {
  // A run by hand is told from others by its second.
  now = new Date(now.getTime() + 60_000);
  world.node.setHead(31);
  await cli('backup');
  await cli('deliver');
}

describe('a witness on one machine', () => {
  test('is told as one, and has a share without a chain file', async () => {
    expect(await filesOf('bank-a')).toEqual([]);
    const { members } = (await cli('members', 'list')).json() as { members: object[] };
    expect(members).toMatchObject([{ chainFiles: false, progress: 1, totals: { files: 0 } }]);
    for (const verb of [['members', 'list'], ['status']]) {
      expect((await runCli(verb, { cwd: world.cwd })).stdout).toContain('bank-a  active, takes no chain files');
    }
  });

  test('proves all but the files by an option of its own, whose code is no word for a whole share', async () => {
    const proven = await verify('bank-a', '--no-chain-files', '--remember', 'seen.json');
    expect(proven.exit).toBe(0);
    expect(proven.json()).toMatchObject({ ok: true, code: 'WITHOUT_CHAIN_FILES', remembered: { written: true } });
    for (const depth of [[], ['--quick']]) {
      const whole = await verify('bank-a', ...depth);
      expect(whole.exit).toBe(1);
      expect(JSON.stringify(whole.json())).toMatch(/ARTIFACT_MISSING.*NO_CHAIN_FILES.*--no-chain-files/);
    }
    expect((await verify('bank-a', '--no-chain-files', '--quick')).json()).toMatchObject({
      error: { name: 'UsageError' },
    });
    const args = ['verify', '--vault', shareOf('bank-a'), '--public-key', 'public-key.pem', '--no-chain-files'];
    const { stdout } = await runCli(args, { cwd: world.cwd });
    expect(stdout).toMatch(/^WITHOUT_CHAIN_FILES: 1 of 1 chains in .* \(chain files were not looked for; 0 B read\)$/m);
  });

  test.each([
    ['a record', 'records', 'RECORD_MISSING'],
    ['the evidence', 'runs', 'EVIDENCE_CHANGED'],
    ['a signature', 'manifests/.sig', 'SIGNATURE_MISSING'],
  ])('misses %s', async (_what, where, code) => {
    const [folder = '', ending = ''] = where.split('/');
    const under = join(shareOf('bank-a'), 'chain/consortium', folder);
    const [name = ''] = (await readdir(under)).filter((each) => each.endsWith(ending));
    await rm(join(under, name), { recursive: true });
    const found = await verify('bank-a', '--no-chain-files');
    expect([found.exit, JSON.stringify(found.json())]).toEqual([1, expect.stringContaining(`"${code}"`)]);
  });

  test('finds a history that was taken back between visits, and one that another member has otherwise', async () => {
    await grow();
    const visit = (...args: string[]) => verify('bank-a', '--no-chain-files', ...args);
    expect((await visit('--remember', 'seen.json')).exit).toBe(0);
    const manifests = join(shareOf('bank-a'), 'chain/consortium/manifests');
    const last = (await readdir(manifests)).filter((name) => name.startsWith('00000002'));
    for (const name of last) await rm(join(manifests, name));
    const back = await visit('--remember', 'seen.json');
    expect([back.exit, JSON.stringify(back.json())]).toEqual([1, expect.stringContaining('HISTORY_ROLLED_BACK')]);
    // A member that takes the files has the very same story, and one that was told another has not.
    await cli('members', 'add', 'bank-b', '--folder', 'bank-b', '--deliver');
    await cli('deliver');
    expect((await visit('--compare', shareOf('bank-b'))).json()).toMatchObject({ code: 'WITHOUT_CHAIN_FILES' });
    const [own] = (await visit()).json()['heads'] as { sha256: string }[];
    const seals = [{ seq: 1, sha256: own?.sha256.replace(/^./, (digit) => (digit === '0' ? '1' : '0')) }];
    const chains = [{ kind: 'chain', node: 'consortium', seals, seenAt: '2026-11-01T00:00:00.000Z' }];
    const seen = JSON.stringify({ chains, format: 'ledgerhold/seen/1', network: 'acme' });
    await writeFile(join(world.cwd, 'other.json'), seen);
    const fork = await visit('--compare', 'other.json');
    expect([fork.exit, JSON.stringify(fork.json())]).toEqual([1, expect.stringContaining('HISTORY_FORKED')]);
  });

  test('that takes chain files after all gets those alone, and then has a whole share', async () => {
    expect((await cli('members', 'set', 'bank-a')).json()).toMatchObject({ error: { name: 'UsageError' } });
    expect((await cli('members', 'set', 'bank-a', '--chain-files')).json()).toMatchObject({
      ...{ ok: true, code: 'ACTIVE', chainFiles: true },
    });
    expect((await cli('deliver')).json()).toMatchObject({
      members: [{ outcome: 'whole', objects: 3, totals: { files: 3 } }],
    });
    expect((await verify('bank-a')).json()).toMatchObject({ code: 'PROVEN' });
    await cli('members', 'set', 'bank-a', '--no-chain-files');
    await grow();
    expect(await filesOf('bank-a')).toHaveLength(3);
    expect((await verify('bank-a', '--no-chain-files')).json()).toMatchObject({ code: 'WITHOUT_CHAIN_FILES' });
    // Registered again it is what it was.
    const again = await cli('members', 'add', 'bank-a', '--folder', 'bank-a');
    expect(again.json()).toMatchObject({ chainFiles: false });
  });
});
