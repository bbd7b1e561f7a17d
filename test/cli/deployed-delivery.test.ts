import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { deliveryMachineName } from '../../core/deployed-names.ts';
import { stateMachineArn } from '../../core/executions.ts';
import { isDue } from '../../core/members.ts';
import { Instant } from '../../core/names.ts';
import { folderVault } from '../../local/folder-vault.ts';
import { actOn, readMember } from '../../vault/members.ts';
import { fakeStepFunctions } from '../fakes/step-functions.ts';
import { runCli } from '../support/cli.ts';
import { DEPLOYMENT } from '../support/on-aws.ts';
import { newKeys } from '../support/toy-sets.ts';

jest.setTimeout(30_000);

const CONFIG = `network: acme
vault: { folder: ./vault }
encryption: none
signing: { keyFile: ./signing-key.pem }
aws: { account: '111111111111', region: eu-central-1 }
nodes:
  - name: toy-1
    protocol: canton
    components:
      app: { rds: app-db, role: participant }
members:
  - { id: bank-a, account: '333333333333', bucket: bank-a-files, region: eu-west-1 }
  - { id: bank-b, folder: ./bank-b }
`;
const machineOf = (name: string) => stateMachineArn(DEPLOYMENT, name);

let fake: Awaited<ReturnType<typeof fakeStepFunctions>>;
let cwd: string;
const before = { ...process.env };
beforeEach(async () => {
  fake = await fakeStepFunctions(machineOf(deliveryMachineName('acme')));
  cwd = await mkdtemp(join(tmpdir(), 'ledgerhold-deployed-delivery-'));
  await mkdir(join(cwd, 'bank-b'));
  await writeFile(join(cwd, 'ledgerhold.yaml'), CONFIG);
  await writeFile(join(cwd, 'signing-key.pem'), newKeys().privateKey, { mode: 0o600 });
  Object.assign(process.env, {
    ...{ AWS_ENDPOINT_URL_SFN: fake.endpoint, AWS_ACCESS_KEY_ID: 'key', AWS_SECRET_ACCESS_KEY: 'secret' },
    AWS_EC2_METADATA_DISABLED: 'true',
  });
});
afterEach(async () => {
  process.env = { ...before };
  await fake[Symbol.asyncDispose]();
  await rm(cwd, { recursive: true, force: true });
});

const cli = (...args: string[]) => runCli([...args, '--json'], { cwd });
/** Whose look, and for which version, whatever the minute. */
const starts = () => [
  ...new Set([...fake.executions.keys()].map((arn) => arn.replace(/^.*:/, '').replace(/_\d{8}T\d{4}/, ''))),
];
/** Whatever was started is over: its name is taken. */
const endAll = () => {
  for (const execution of fake.executions.values()) execution.succeed({});
};
const check = async (faults: { name: string; message: string; remedy: string }[]) => {
  const vault = folderVault(join(cwd, 'vault'));
  const registry = { vault, clock: { now: () => new Date() }, network: 'acme' as never, by: 'delivery' };
  const report = { at: Instant.parse('2026-11-01T00:00:00.000Z'), faults };
  await actOn(registry, 'bank-a', { what: 'check', report });
  if (faults[0] !== undefined) await actOn(registry, 'bank-a', { what: 'suspend', fault: faults[0] });
  return (await readMember(vault, 'bank-a'))?.value;
};

describe('members of a deployed network', () => {
  test('are checked and delivered to by the deployed delivery, which is started, and nothing is said to be done', async () => {
    const added = await cli('members', 'add', 'bank-a', '--deliver');
    expect(added.json()).toMatchObject({ code: 'CHECK_ASKED', state: 'invited', environmentBackupTarget: true });
    expect(starts()).toEqual(['bank-a_2']);
    expect(await check([])).toMatchObject({ state: 'active' });
    const one = await cli('deliver', '--member', 'bank-a');
    expect(one.json()).toMatchObject({ code: 'STARTED', member: 'bank-a' });
    expect(one.json()['execution']).toMatch(/:execution:ledgerhold-acme_Deliveries:by-hand-/);
    const all = await cli('deliver');
    expect(all.json()).toMatchObject({
      code: 'STARTED',
      execution: expect.stringContaining('ledgerhold-acme_Deliveries'),
    });
    expect((await cli('members', 'check')).json()).toMatchObject({ code: 'CHECK_ASKED', asked: ['bank-a'] });
  });

  describe('that have failed', () => {
    const vault = () => folderVault(join(cwd, 'vault'));
    const fail = async (member: string) => {
      const registry = { vault: vault(), clock: { now: () => new Date() }, network: 'acme' as never, by: 'delivery' };
      await actOn(registry, member, { what: 'degrade', fault: { name: 'X', message: 'm', remedy: 'r' } });
      return isDueNow(member);
    };
    const isDueNow = async (id: string) => {
      const found = (await readMember(vault(), id))?.value;
      return found !== undefined && isDue(found, new Date());
    };

    test('are tried by the delivery that is started, and not when their next try would be', async () => {
      await cli('members', 'add', 'bank-a', '--deliver');
      await check([]);
      expect(await fail('bank-a')).toBe(false);
      expect((await cli('deliver', '--member', 'bank-a')).json()).toMatchObject({ code: 'STARTED' });
      expect(await isDueNow('bank-a')).toBe(true);
    });

    test('are tried at once on this machine where they are named, and else in their time', async () => {
      await cli('members', 'add', 'bank-b', '--deliver');
      expect(await fail('bank-b')).toBe(false);
      expect((await cli('deliver')).json()).toMatchObject({ members: [{ outcome: 'later' }] });
      const tried = await cli('deliver', '--member', 'bank-b');
      expect(tried.json()).toMatchObject({ code: 'DELIVERED', members: [{ outcome: 'whole' }] });
    });
  });

  test('that are suspended are resumed once a check has found nothing, and not before', async () => {
    await cli('members', 'add', 'bank-a', '--deliver');
    await check([{ name: 'OVERWRITABLE', message: 'm', remedy: 'r' }]);
    const asked = await cli('members', 'resume', 'bank-a');
    expect(asked.json()).toMatchObject({ code: 'CHECK_ASKED', state: 'suspended' });
    expect(asked.exit).toBe(5);
    expect(asked.json()['remedy']).toMatch(/^Once .* run `ledgerhold members resume bank-a` again/);
    const told = await runCli(['members', 'resume', 'bank-a'], { cwd });
    expect(told.stdout).toContain('run `ledgerhold members resume bank-a` again: until then it stays suspended.');
    await check([]);
    expect((await cli('members', 'resume', 'bank-a')).json()).toMatchObject({ code: 'ACTIVE' });
  });

  test('that are paused and go on are delivered to at once, and no pause starts anything', async () => {
    await cli('members', 'add', 'bank-a', '--deliver');
    await check([]);
    const started = starts();
    expect((await cli('members', 'set', 'bank-a', '--no-target')).json()).toMatchObject({ code: 'CHECKED' });
    expect(starts()).toEqual(started);
    endAll();
    expect((await cli('members', 'set', 'bank-a', '--target')).json()).toMatchObject({ code: 'ACTIVE' });
    expect(starts()).toEqual([...started, 'bank-a_5']);
  });

  test('are looked at after each change of a minute, and once for what changes nothing', async () => {
    for (let n = 0; n < 2; n += 1) {
      const execution = expect.stringMatching(/:execution:ledgerhold-acme_Deliveries:bank-a_\d{8}T\d{4}_2$/);
      expect((await cli('members', 'add', 'bank-a', '--deliver')).json()).toMatchObject({
        code: 'CHECK_ASKED',
        execution,
      });
      endAll();
    }
    await check([{ name: 'OVERWRITABLE', message: 'm', remedy: 'r' }]);
    await check([]);
    for (const act of [['resume'], ['set', '--no-chain-files'], ['set', '--no-chain-files']]) {
      expect((await cli('members', ...act, 'bank-a')).json()).toMatchObject({ code: 'ACTIVE' });
      endAll();
    }
    const versions = starts().map((name) => Number(name.replace('bank-a_', '')));
    expect(versions).toHaveLength(3);
    expect(versions).toEqual(versions.toSorted((a, b) => a - b));
    expect(versions.at(-1)).toBe((await readMember(folderVault(join(cwd, 'vault')), 'bank-a'))?.value.n);
    for (let n = 0; n < 2; n += 1) {
      expect((await cli('deliver', '--member', 'bank-a')).json()).toMatchObject({ code: 'STARTED', member: 'bank-a' });
      endAll();
    }
    expect(starts()).toHaveLength(5);
  });

  test('that were emptied are told to be registered again, and nothing is asked for', async () => {
    await cli('members', 'add', 'bank-a', '--deliver');
    await check([]);
    const emptied = { name: 'EMPTIED', message: 'm', remedy: 'Register it again: all is delivered anew.' };
    await check([emptied]);
    await check([]);
    const before = starts();
    for (let n = 0; n < 2; n += 1) {
      const told = await cli('members', 'resume', 'bank-a');
      expect(told.exit).toBe(5);
      expect(told.json()).toMatchObject({ code: 'MEMBER_SUSPENDED', state: 'suspended', check: { faults: [emptied] } });
    }
    expect((await runCli(['members', 'resume', 'bank-a'], { cwd })).stdout).toContain(emptied.remedy);
    expect(starts()).toEqual(before);
    expect((await cli('members', 'add', 'bank-a', '--deliver')).json()).toMatchObject({ code: 'CHECK_ASKED' });
    expect(starts()).toHaveLength(before.length + 1);
  });

  test('that have folders are delivered to from this machine, beside the start of the others', async () => {
    await cli('members', 'add', 'bank-a', '--deliver');
    await check([]);
    expect((await cli('members', 'add', 'bank-b', '--deliver')).json()).toMatchObject({ code: 'ACTIVE' });
    expect((await cli('deliver')).json()).toMatchObject({
      ...{ code: 'DELIVERED', execution: expect.stringContaining('Deliveries') },
      members: [{ member: 'bank-b', outcome: 'whole' }],
    });
  });
});
