import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { folderVault } from '../../local/folder-vault.ts';
import { leaseKey, manifestKey } from '../../vault/layout.ts';
import { runCli } from '../support/cli.ts';
import { backupToy, newKeys } from '../support/toy-sets.ts';

const now = () => new Date('2026-11-01T09:00:00Z');
const SLOTS = ['2026-11-01T00:00:00Z', '2026-11-01T04:00:00Z', '2026-11-01T08:00:00Z'] as const;

describe('one damaged byte', () => {
  let cwd = '';
  const cli = (...args: string[]) => runCli([...args, '--json'], { cwd, env: {}, now });

  beforeEach(async () => {
    cwd = await mkdtemp(join(tmpdir(), 'ledgerhold-damaged-'));
    const keys = newKeys();
    for (const slot of SLOTS) {
      await backupToy({ vault: folderVault(join(cwd, 'vault')), keys, now: () => new Date(slot) }, slot);
    }
    await writeFile(join(cwd, 'ledgerhold.yaml'), CONFIG);
    await writeFile(join(cwd, 'signing-key.pem'), keys.privateKey, { mode: 0o600 });
  });
  afterEach(() => rm(cwd, { recursive: true, force: true }));

  async function damage(key: string) {
    const file = join(cwd, 'vault', key);
    const body = await readFile(file);
    body[0] = (body[0] ?? 0) ^ 1;
    await rm(file);
    await writeFile(file, body);
  }

  test('in the newest manifest is a row of sets beside the others, and ends it with 1', async () => {
    await damage(manifestKey('toy-1', 3));
    const { exit, json } = await cli('sets');
    expect(exit).toBe(1);
    expect(json()).toMatchObject({
      code: 'DAMAGED',
      sets: [{ set: 'toy-1/1' }, { set: 'toy-1/2', state: 'kept' }, { set: 'toy-1/3', seq: 3, state: 'damaged' }],
    });
    const { stdout } = await runCli(['sets'], { cwd, env: {}, now });
    expect(stdout).toMatch(/toy-1\/3 +- +- +damaged/);
    expect((await cli('show', SLOTS[1])).json()).toMatchObject({ set: 'toy-1/2' });
  });

  test('is a row of status in whatever document it is, and the rest is told', async () => {
    await damage(manifestKey('toy-1', 3));
    await damage(leaseKey('toy-1', SLOTS[0], 2));
    const { exit, json } = await cli('status');
    expect(exit).toBe(0);
    expect(json()).toMatchObject({
      code: 'DAMAGED',
      nodes: [
        {
          last: { set: 'toy-1/2' },
          kept: 3,
          damaged: [
            { key: manifestKey('toy-1', 3), code: 'DOCUMENT_DAMAGED' },
            { key: leaseKey('toy-1', SLOTS[0], 2), code: 'DOCUMENT_DAMAGED' },
          ],
        },
      ],
    });
    expect((await runCli(['status'], { cwd, env: {}, now })).stdout).toMatch(/DAMAGED +sets\/toy-1/);
  });

  test('is a finding of doctor, told once, with what can be done', async () => {
    await damage(manifestKey('toy-1', 3));
    await damage(leaseKey('toy-1', SLOTS[0], 2));
    const { exit, json } = await cli('doctor');
    expect(exit).toBe(1);
    const findings = json()['findings'] as { check: string; level: string; text: string; remedy?: string }[];
    expect(findings.filter(({ check }) => check === 'documents')).toEqual([
      expect.objectContaining({ level: 'fail', text: expect.stringMatching(/^ChainDamaged: .*[0-9a-f]{64}/) }),
      expect.objectContaining({ level: 'fail', text: expect.stringContaining(leaseKey('toy-1', SLOTS[0], 2)) }),
    ]);
    expect(findings.filter(({ text }) => text.includes('NotADocument'))).toEqual([]);
    expect(findings).toContainEqual(expect.objectContaining({ check: 'disk', level: 'ok' }));
  });

  test('keeps plan from nothing but retention, which it says', async () => {
    await damage(manifestKey('toy-1', 3));
    await damage(leaseKey('toy-1', SLOTS[0], 2));
    const { exit, json } = await cli('plan');
    expect(exit).toBe(0);
    const [node] = json()['nodes'] as { warnings: string[] }[];
    expect(node?.warnings).toContainEqual(expect.stringContaining('nothing of toy-1 expires'));
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
      participant: { postgres: { url: postgres://u@127.0.0.1:1/d } }
`;
