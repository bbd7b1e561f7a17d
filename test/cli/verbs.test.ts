import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { folderVault } from '../../local/folder-vault.ts';
import { leaseKey } from '../../vault/layout.ts';
import { runCli } from '../support/cli.ts';
import { backupToy, newKeys, toyRun, toySteps } from '../support/toy-sets.ts';

const now = new Date('2026-11-02T10:00:00Z');

describe('the verbs that read a vault', () => {
  let cwd = '';
  const cli = (...args: string[]) =>
    runCli([...args, '--json'], { cwd, env: { URL: 'postgres://u@h/d' }, now: () => now });

  beforeAll(async () => {
    cwd = await mkdtemp(join(tmpdir(), 'ledgerhold-verbs-'));
    const vault = folderVault(join(cwd, 'vault'));
    const world = { vault, keys: newKeys(), now: () => new Date('2026-11-01T00:00:00Z') };
    await backupToy(world, '2026-11-01T00:00:00Z');
    await backupToy({ ...world, now: () => new Date('2026-11-02T08:00:00Z') }, '2026-11-02T08:00:00Z', {
      reason: 'pre-upgrade',
    });
    await writeFile(join(cwd, 'ledgerhold.yaml'), CONFIG);
    await writeFile(join(cwd, 'signing-key.pem'), world.keys.privateKey, { mode: 0o600 });
    await writeFile(join(cwd, 'own.pem'), world.keys.publicKey);
    await writeFile(join(cwd, 'foreign.pem'), newKeys().publicKey);
  });
  afterAll(() => rm(cwd, { recursive: true, force: true }));

  test('sets lists them oldest first, also by address alone', async () => {
    const { exit, json } = await cli('sets', '--vault', './vault');
    expect(exit).toBe(0);
    expect(json()).toMatchObject({
      code: 'SETS',
      sets: [
        { set: 'toy-1/1', verdict: 'proven', state: 'kept', components: ['app', 'ledger'] },
        { set: 'toy-1/2', reason: 'pre-upgrade' },
      ],
    });
    expect((await cli('sets')).stdout).toBe((await cli('sets', '--vault', `file://${cwd}/vault`)).stdout);
  });

  test.each(['latest', '2', 'toy-1/2', '2026-11-02T08:00:00Z'])('show finds a set by %s', async (name) => {
    const { exit, json } = await cli('show', name, '--vault', './vault');
    expect(exit).toBe(0);
    expect(json()).toMatchObject({
      set: 'toy-1/2',
      signed: { order: [['app', 'ledger']] },
      receipts: { ledger: { start: { predecessors: [{ component: 'app' }] } } },
    });
  });

  test('sets and show hold the signatures against a key that is given', async () => {
    for (const args of [['sets'], ['show', 'latest']]) {
      const own = await cli(...args, '--vault', './vault', '--public-key', 'own.pem');
      expect(own.exit).toBe(0);
      expect(own.stdout).toContain('"signature":"good"');
      const foreign = await cli(...args, '--vault', './vault', '--public-key', 'foreign.pem');
      expect(foreign.exit).toBe(3);
      expect(foreign.stdout).toContain('"signature":"untrusted"');
    }
  });

  test('show of a set that is not there ends with 2 and lists what is', async () => {
    const { exit, json } = await cli('show', '7', '--vault', './vault');
    expect(exit).toBe(2);
    expect(json()).toMatchObject({ code: 'NO_SUCH_SET', error: { remedy: expect.stringContaining('toy-1/2') } });
  });

  test('status tells the age of each component’s state, and that the next set is due', async () => {
    const { exit, json } = await cli('status');
    expect(exit).toBe(0);
    expect(json()).toMatchObject({
      code: 'ON_TIME',
      nodes: [{ last: { set: 'toy-1/2' }, rpoSeconds: { app: 7200, ledger: 7200 }, kept: 2, overdue: false }],
    });
    const later = await runCli(['status', '--json'], { cwd, now: () => new Date('2026-11-03T10:00:00Z') });
    expect(later.json()).toMatchObject({ code: 'OVERDUE' });
  });

  test('status tells a run that goes on and one that failed', async () => {
    const vault = folderVault(join(cwd, 'vault'));
    const world = { vault, keys: newKeys(), now: () => now };
    await toySteps(world, toyRun('2026-11-02T09:59:00Z')).claim();
    const running = await cli('status');
    expect(running.json()).toMatchObject({ nodes: [{ running: [{ slot: '2026-11-02T09:59:00Z', fence: 1 }] }] });
    await rm(join(cwd, 'vault', leaseKey('toy-1', '2026-11-02T09:59:00Z', 1)));
  });

  test('plan tells waves, calls and what retention would do, and writes nothing', async () => {
    const before = await readFile(join(cwd, 'vault/format.json'));
    const { exit, json } = await cli('plan');
    expect(exit).toBe(0);
    expect(json()).toMatchObject({
      nodes: [
        {
          waves: [['participant'], ['sequencer']],
          calls: { participant: 'pg_dump of postgres://h:5432/d' },
          retention: [
            { set: 'toy-1/2', keep: true },
            { set: 'toy-1/1', keep: false, reasons: ['no rule keeps it'] },
          ],
        },
      ],
    });
    expect(await readFile(join(cwd, 'vault/format.json'))).toEqual(before);
  });

  test('each has a form for people that ends every line with a word', async () => {
    for (const args of [['sets'], ['show', 'latest'], ['status'], ['plan']]) {
      const { exit, stdout, stderr } = await runCli(args, { cwd, env: { URL: 'postgres://u@h/d' }, now: () => now });
      expect({ args, exit, stderr }).toEqual({ args, exit: 0, stderr: '' });
      expect(stdout).toContain('toy-1');
      expect(stdout).not.toMatch(/undefined|\[object|NaN| $/m);
    }
  });
});

const CONFIG = `
network: toy-net
vault: { folder: ./vault }
encryption: none
signing: { keyFile: ./signing-key.pem }
nodes:
  - name: toy-1
    protocol: canton
    every: 4 hours
    components:
      participant: { postgres: { url: { env: URL } } }
      sequencer: { postgres: { url: postgres://u@h/other } }
retention: { keepLast: 1 }
`;
