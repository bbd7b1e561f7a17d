import { once } from 'node:events';
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { loadConfig } from '../../cli/context.ts';
import { type OpenRegistry, openRegistry } from '../../cli/members.ts';
import { memberTurns } from '../../cli/serve-delivery.ts';
import { VaultUnavailable } from '../../core/vault.ts';
import type { MemberStatus } from '../../vault/member-status.ts';
import { type ChainCli, chainCli } from '../support/chain-cli.ts';

jest.setTimeout(60_000);

let world: ChainCli;
let now: Date;
beforeEach(async () => {
  now = new Date('2026-11-01T00:00:30Z');
  world = await chainCli(24, () => now);
  for (const member of ['bank-a', 'bank-b']) {
    await mkdir(join(world.cwd, member));
    await world.cli('members', 'add', member, '--folder', member, '--deliver');
  }
});
afterEach(async () => world[Symbol.asyncDispose]());

const members = async () => (await world.cli('members', 'list')).json()['members'];

/** What `serve` does for the members, in this process. */
async function turnsHere(among: (registry: OpenRegistry) => OpenRegistry = (registry) => registry) {
  const [notes, raised] = [[] as string[], [] as unknown[]];
  const note = (text: string) => void notes.push(text);
  const shell = {
    cwd: world.cwd,
    env: {},
    flags: { config: 'ledgerhold.yaml' },
    clock: { now: () => now },
    note,
    signal: AbortSignal.any([]),
  };
  const loaded = await loadConfig(shell as never);
  const alarms = { raise: async (...[name, about]: unknown[]) => raised.push([name, about]), clear: async () => {} };
  const open = async () => among(await openRegistry(shell, loaded));
  return { turns: memberTurns({ open, note, alarms: alarms as never }), notes, raised };
}

test('serve delivers what it has sealed, tells who is suspended, and serves the others all the same', async () => {
  const served = await world.cli('serve', '--once');
  expect(served.json()).toMatchObject({ code: 'SERVED' });
  expect(served.stderr).toMatch(/bank-b: \d+ objects delivered/);
  expect(await members()).toMatchObject([{ progress: 1 }, { progress: 1 }]);

  await rename(join(world.cwd, 'bank-b'), join(world.cwd, 'away'));
  now = new Date('2026-11-01T06:00:30Z');
  const again = await world.cli('serve', '--once');
  expect(again.json()).toMatchObject({ code: 'SERVED' });
  expect(again.stderr).toContain('bank-b: MEMBER_SUSPENDED raised: ANOTHER_FOLDER');
  expect(await members()).toMatchObject([{ progress: 1, fault: null }, { state: 'suspended' }]);
});

test('what is in the way at one member is told of it alone, and the others are served', async () => {
  await world.cli('serve', '--once');
  const unfinished = join(world.cwd, 'bank-b/ledgerhold/acme/bank-b/.ledgerhold-tmp');
  await rm(unfinished, { recursive: true });
  await writeFile(unfinished, 'x');
  now = new Date('2026-11-01T06:00:30Z');
  const { stderr } = await world.cli('serve', '--once');
  expect(stderr).toContain('bank-b: MEMBER_SUSPENDED raised: IN_THE_WAY');
  expect(await members()).toMatchObject([
    { state: 'active', progress: 1 },
    { state: 'suspended', fault: { name: 'IN_THE_WAY' } },
  ]);
});

test('serve looks at a destination again after a week', async () => {
  await world.cli('serve', '--once');
  now = new Date('2026-11-09T00:00:30Z');
  await world.cli('serve', '--once');
  expect(await members()).toMatchObject([{ check: { at: now.toISOString() } }, { check: { at: now.toISOString() } }]);
});

test('a damaged receipt is told of its member, and keeps no other from being told of, looked at and read back', async () => {
  await mkdir(join(world.cwd, 'bank-c'));
  await world.cli('members', 'add', 'bank-c', '--folder', 'bank-c', '--deliver');
  await world.cli('serve', '--once');
  const receipts = join(world.cwd, 'vault', 'deliveries', 'bank-a');
  const [receipt = ''] = (await readdir(receipts)).filter((name) => name.endsWith('.json')).toReversed();
  await writeFile(join(receipts, receipt), '{}');
  await rename(join(world.cwd, 'bank-c'), join(world.cwd, 'away'));
  now = new Date('2026-11-09T00:00:30Z');
  const { stderr } = await world.cli('serve', '--once');
  expect(stderr).toMatch(/bank-a: MEMBER_SUSPENDED raised: .*deliveries\/bank-a/);
  expect(stderr).toContain('bank-c: MEMBER_SUSPENDED raised: ');
  expect(stderr).not.toContain('bank-b: MEMBER_SUSPENDED');
  expect(stderr).toMatch(/bank-b: \d+ objects read back/);
  expect(await members()).toMatchObject([
    { member: 'bank-b', check: { at: now.toISOString() } },
    { member: 'bank-c', state: 'suspended' },
    { member: 'bank-a', state: 'unreadable' },
  ]);
});

test('a damaged chain is told, and keeps nobody from being told who is suspended', async () => {
  await world.cli('serve', '--once');
  const manifests = join(world.cwd, 'vault', 'chain', 'consortium', 'manifests');
  const [manifest = ''] = (await readdir(manifests)).filter((name) => name.endsWith('.json')).toReversed();
  await writeFile(join(manifests, manifest), '{}');
  await rename(join(world.cwd, 'bank-b'), join(world.cwd, 'away'));
  now = new Date('2026-11-09T00:00:30Z');
  const { stderr } = await world.cli('serve', '--once');
  expect(stderr).toContain('how far members are with consortium cannot be told: ');
  expect(stderr).toContain('bank-b: MEMBER_SUSPENDED raised: NO_SUCH_FOLDER');
  const listed = await world.cli('members', 'list');
  expect(listed.json()).toMatchObject({ code: 'DAMAGED', members: [{ state: 'active' }, { state: 'suspended' }] });
  expect((await world.cli('status')).json()).toMatchObject({ code: 'DAMAGED', members: [{}, { state: 'suspended' }] });
});

test('what keeps everybody from being read back keeps nobody from being told of', async () => {
  await world.cli('serve', '--once');
  const versions = join(world.cwd, 'vault', 'members', 'bank-b');
  const [newest = ''] = (await readdir(versions)).toSorted().toReversed();
  await writeFile(join(versions, newest), '{}');
  await rename(join(world.cwd, 'signing-key.pem'), join(world.cwd, 'lost.pem'));
  const { turns, notes, raised } = await turnsHere();
  await turns(AbortSignal.any([]));
  expect(notes.join()).toMatch(/what members have was not read back: .*signing-key/);
  expect(raised).toEqual([['MEMBER_SUSPENDED', 'bank-b']]);
});

test('a vault that cannot be reached as a turn begins is told, and ends nothing', async () => {
  const { turns, notes } = await turnsHere(() => {
    throw new VaultUnavailable('it is away', 'Wait.');
  });
  await turns(AbortSignal.any([]));
  expect(notes).toEqual(['the members cannot be served: it is away']);
});

describe('beside one that is slow', () => {
  let slow: PromiseWithResolvers<void>;
  /** What was to be put and waits, or has waited: the member and the manifest's number. */
  let begun: string[];
  beforeEach(async () => {
    slow = Promise.withResolvers();
    begun = [];
    world.node.setHead(7);
    await world.cli('serve', '--once');
  });

  /** What a manifest waits for; default: all of `bank-b` for `slow`. `bank-b` takes as long to stop as is said. */
  const withSlow = (gate = (what: string) => (what.startsWith('bank-b') ? slow.promise : undefined), stopMs = 0) =>
    turnsHere((registry) => ({
      ...registry,
      destinationOf: (member) => {
        const destination = registry.destinationOf(member);
        const put: typeof destination.put = async (item, body, signal) => {
          const what = `${member.member} ${item.manifest}`;
          const opened = item.kind === 'seal' ? gate(what) : undefined;
          if (opened !== undefined) {
            begun.push(what);
            const stops = once(signal, 'abort').then(() => sleep(what.startsWith('bank-b') ? stopMs : 0));
            await Promise.race([opened, stops]);
          }
          return destination.put(item, body, signal);
        };
        return { ...destination, put };
      },
    }));
  const seal = async (hour: string, head: number) => {
    now = new Date(`2026-11-01T${hour}:00:30Z`);
    world.node.setHead(head);
    expect((await world.cli('backup', '--node', 'consortium')).exit).toBe(0);
  };
  const lacking = async () => ((await members()) as MemberStatus[]).map(({ chains: [chain] }) => chain?.manifests);
  /** Others may have waited for it for some moments; the test's time is the limit. */
  const until = async (...wanted: number[]) => {
    while ((await lacking()).join() !== wanted.join()) await sleep(50);
  };

  test('all get what is sealed meanwhile, and it follows once it is there', async () => {
    const { turns, notes } = await withSlow();
    await seal('06', 15);
    const first = turns(AbortSignal.any([]));
    // Together with the other one, and then by itself: by now it has looked for what there is.
    while (begun.length < 2) await sleep(5);
    await seal('12', 23);
    await turns(AbortSignal.any([]));
    await until(0, 2);
    await turns(AbortSignal.any([]));
    slow.resolve();
    await first;
    expect(await lacking()).toEqual([0, 0]);
    expect(notes.filter((note) => note.includes('bank-b: '))).toHaveLength(2);
  });

  test('who was suspended as that began gets its files once it is resumed', async () => {
    const { turns } = await withSlow();
    await world.cli('members', 'suspend', 'bank-a');
    await seal('06', 15);
    const first = turns(AbortSignal.any([]));
    while (begun.length < 1) await sleep(5);
    await world.cli('members', 'resume', 'bank-a');
    await turns(AbortSignal.any([]));
    expect(await lacking()).toEqual([0, 1]);
    slow.resolve();
    await first;
  });

  test('an end is awaited of all that is on its way, and ends what follows it', async () => {
    const second = Promise.withResolvers<void>();
    const { turns } = await withSlow((what) => (what === 'bank-a 2' ? second.promise : slow.promise), 300);
    const end = new AbortController();
    await seal('06', 15);
    const first = turns(end.signal).catch((error: unknown) => error);
    while (begun.length < 2) await sleep(5);
    await seal('12', 23);
    await turns(end.signal);
    second.resolve();
    while (!begun.includes('bank-a 3')) await sleep(5);
    end.abort(new Error('Ctrl-C'));
    expect(await first).toEqual(new Error('Ctrl-C'));
  });
});
