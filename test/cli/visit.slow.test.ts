import { existsSync, writeFileSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readFile, rm, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import type { Vault } from '../../core/vault.ts';
import { folderVault } from '../../local/folder-vault.ts';
import type { MemoryVault } from '../fakes/memory-vault.ts';
import { runCli } from '../support/cli.ts';
import { deliver, otherStory, threeRuns } from '../support/member-copy.ts';
import type { HistoryWorld } from '../support/toy-history.ts';
import { newKeys } from '../support/toy-sets.ts';

jest.setTimeout(60_000);

let world: HistoryWorld;
let forked: Vault;
beforeAll(async () => {
  world = await threeRuns();
  forked = await otherStory(world);
});

let cwd: string;
beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'ledgerhold-visit-'));
  await writeFile(join(cwd, 'public-key.pem'), world.keys.publicKey);
});
afterEach(() => rm(cwd, { recursive: true }));

const member = (name: string, upTo?: number, from: Vault = world.vault) =>
  deliver(from, folderVault(join(cwd, name)), upTo);
const verify = (...args: string[]) => runCli(['verify', '--public-key', 'public-key.pem', ...args, '--json'], { cwd });
const visit = (name: string) => verify('--vault', name, '--remember', 'seen.json');
const memory = () => readFile(join(cwd, 'seen.json'), 'utf8');
type Told = { readonly findings: readonly { readonly code: string; readonly text: string }[] };
const told = ({ json }: Awaited<ReturnType<typeof verify>>) => (json() as unknown as Told).findings;
const codes = (result: Awaited<ReturnType<typeof verify>>) => told(result).map(({ code }) => code);

describe('a member that comes again', () => {
  test('finds nothing in a history that has grown, and remembers how far it came', async () => {
    await member('bank-a', 2);
    const first = await visit('bank-a');
    expect(first).toMatchObject({ exit: 0 });
    expect(first.json()).toMatchObject({ code: 'PROVEN', remembered: { file: join(cwd, 'seen.json'), written: true } });
    expect(JSON.parse(await memory())).toMatchObject({
      ...{ format: 'ledgerhold/seen/1', network: 'acme' },
      chains: [{ kind: 'chain', node: 'consortium', seals: [{ seq: 1 }, { seq: 2 }] }],
    });
    await member('bank-a');
    expect((await visit('bank-a')).exit).toBe(0);
    expect(JSON.parse(await memory())).toMatchObject({ chains: [{ seals: [{ seq: 1 }, { seq: 2 }, { seq: 3 }] }] });
  });

  test.each([
    ['shorter', 2],
    ['gone', 0],
  ])('finds a history that is %s, and goes on remembering what there was', async (_, upTo) => {
    await member('bank-a');
    await visit('bank-a');
    const before = await memory();
    await rm(join(cwd, 'bank-a'), { recursive: true });
    await member('bank-a', upTo);
    // Without a memory nothing tells it from one that is on its way.
    if (upTo > 0) expect((await verify('--vault', 'bank-a')).exit).toBe(0);
    for (const depth of [[], ['--quick'], ['--all']]) {
      const again = await verify('--vault', 'bank-a', '--remember', 'seen.json', ...depth);
      expect(again).toMatchObject({ exit: 1 });
      expect(again.json()).toMatchObject({ code: 'VIOLATED', remembered: { written: false } });
      expect(codes(again)).toContain('HISTORY_ROLLED_BACK');
    }
    expect(await memory()).toBe(before);
  });

  test('finds another history in the place of the one that it saw', async () => {
    await member('bank-a');
    await visit('bank-a');
    const before = await memory();
    await member('other', 3, forked);
    expect((await verify('--vault', 'other')).exit).toBe(0);
    const again = await visit('other');
    expect([again.exit, codes(again)]).toEqual([1, ['HISTORY_FORKED']]);
    expect(await memory()).toBe(before);
  });

  test('remembers nothing that is not proven, and nothing unless asked', async () => {
    await member('bank-a');
    const [file = ''] = [...(world.vault as MemoryVault).objects.keys()].filter((key) => key.endsWith('.rlp'));
    await verify('--vault', 'bank-a');
    await unlink(join(cwd, 'bank-a', file));
    const missing = await visit('bank-a');
    expect(missing.exit).toBe(1);
    expect(JSON.stringify(missing.json())).toContain('ARTIFACT_MISSING');
    const unsure = await runCli(['verify', '--vault', 'bank-a', '--quick', '--remember', 'seen.json'], { cwd });
    expect(unsure.stdout).toContain('not remembered');
    expect(existsSync(join(cwd, 'seen.json'))).toBe(false);
  });

  test('is not fooled by a memory that is damaged: nothing is proven, nothing is changed', async () => {
    await member('bank-a');
    await writeFile(join(cwd, 'seen.json'), '{"format":"ledgerhold/seen/1"');
    const refused = await visit('bank-a');
    expect(refused.exit).toBe(2);
    expect(refused.json()).toMatchObject({ error: { name: 'SeenUnreadable' } });
    expect(await memory()).toBe('{"format":"ledgerhold/seen/1"');
  });

  test('of which two come at once ends with what the one saw that saw more', async () => {
    await member('early', 2);
    await member('late');
    const ends = await Promise.all(['late', 'early', 'late', 'early'].map(visit));
    // Who began after the other's end is told that less is shown; it never writes that down.
    expect(ends.filter((_, n) => n % 2 === 0).map(({ exit }) => exit)).toEqual([0, 0]);
    expect(JSON.parse(await memory())).toMatchObject({ chains: [{ seals: [{}, {}, { seq: 3 }] }] });
  });

  test('and meanwhile another visit has seen another story, tells so and leaves what that one remembers', async () => {
    await member('bank-a');
    await member('other', 3, forked);
    await visit('other');
    const others = await memory();
    await unlink(join(cwd, 'seen.json'));
    // The time is asked for when a visit is written down: after the proof.
    const now = () => {
      writeFileSync(join(cwd, 'seen.json'), others);
      return new Date();
    };
    const flags = ['--vault', 'bank-a', '--public-key', 'public-key.pem', '--remember', 'seen.json', '--json'];
    const late = await runCli(['verify', ...flags], { cwd, now });
    expect([late.exit, codes(late)]).toEqual([1, ['HISTORY_FORKED']]);
    expect(late.json()).toMatchObject({ remembered: { written: false } });
    expect(await memory()).toBe(others);
  });

  test('names a folder that exists, and no single sets', async () => {
    await member('bank-a');
    expect((await verify('--vault', 'bank-a', '--remember', 'no/seen.json')).exit).toBe(2);
    expect((await verify('1', '--vault', 'bank-a', '--remember', 'seen.json')).exit).toBe(2);
  });
});

describe('two members', () => {
  test('that were told different stories find it out by manifests alone, at the first that differs', async () => {
    await member('bank-a');
    await member('bank-b', 3, forked);
    const exported = join(cwd, 'export/chain/consortium');
    await mkdir(exported, { recursive: true });
    await cp(join(cwd, 'bank-b/chain/consortium/manifests'), join(exported, 'manifests'), { recursive: true });
    await verify('--vault', 'bank-b', '--remember', 'bank-b.json');
    for (const other of ['bank-b', 'export', 'bank-b.json']) {
      const found = await verify('--quick', '--vault', 'bank-a', '--compare', other);
      expect([found.exit, codes(found)]).toEqual([1, ['HISTORY_FORKED']]);
      expect(told(found)[0]?.text).toContain('manifest 2 of consortium is ');
    }
  });

  test('that have the same are proven, and one that is behind is told', async () => {
    await member('bank-a');
    await member('bank-b');
    await member('slow', 1);
    const same = await verify('--vault', 'bank-a', '--compare', 'bank-b');
    expect([same.exit, codes(same)]).toEqual([0, []]);
    expect(same.json()).toMatchObject({ compared: [{ chains: [{ node: 'consortium', seq: 3 }] }] });
    await verify('--vault', 'bank-a', '--remember', 'bank-a.json');
    for (const [here, others] of [
      ['bank-a', ['slow']],
      ['slow', ['bank-a', 'bank-a.json']],
    ] as const) {
      const found = await verify('--vault', here, '--compare', ...others);
      expect(found.exit).toBe(0);
      expect(codes(found)).toEqual(others.map(() => 'HISTORY_LAGS'));
    }
    const text = await runCli(
      ['verify', '--vault', 'bank-a', '--public-key', 'public-key.pem', '--compare', 'slow', '--compare', 'bank-b'],
      { cwd },
    );
    expect(text.stdout).toMatch(/compared with .*slow\/?: consortium up to manifest 1\n/);
    expect(text.stdout.trimEnd().split('\n').at(-1)).toMatch(/^PROVEN: 1 of 1 chains/);
  });

  test('cannot accuse each other with what nobody has signed', async () => {
    await member('bank-a');
    const strangers = await threeRuns();
    await member('strange', 3, strangers.vault);
    const found = await verify('--vault', 'bank-a', '--compare', 'strange');
    expect([found.exit, codes(found)]).toEqual([3, ['OTHER_UNPROVEN']]);
  });

  test('of different networks are not compared, nor is what holds nothing', async () => {
    await member('bank-a');
    await visit('bank-a');
    await writeFile(join(cwd, 'beta.json'), (await memory()).replace('"acme"', '"beta"'));
    const foreign = await verify('--vault', 'bank-a', '--compare', 'beta.json');
    expect(foreign.exit).toBe(2);
    expect(foreign.json()).toMatchObject({ error: { name: 'ForeignVault' } });
    await mkdir(join(cwd, 'empty'));
    for (const other of ['empty', 'mistyped', 'public-key.pem']) {
      expect([other, (await verify('--vault', 'bank-a', '--compare', other)).exit]).toEqual([other, 2]);
    }
  });

  test('of which one has another key are told so', async () => {
    await member('bank-a');
    await writeFile(join(cwd, 'public-key.pem'), newKeys().publicKey);
    expect((await visit('bank-a')).exit).toBe(1);
  });
});
