import { spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { SUSPENDED_BY_HAND } from '../../core/members.ts';
import { ended, PROGRAM, type Said } from '../support/cli-world.ts';
import { type DeployedMembers, deployMembers } from '../support/deployed-members.ts';
import { describeWith } from '../support/emulator.ts';
import { soon } from '../support/processes.ts';

/**
 * Not shown here: that bytes go from one account to another (members are in the operator's own; four parties on versitygw
 * show it), and that AWS keeps what the emulator is taught of it: conditions of a write, of a copy and of its policy.
 */
describeWith('ministack', 'the delivery to members, deployed where IAM decides about every call', (python) => {
  let world: DeployedMembers;
  let day = 0;
  const seal = () => world.seal(`2026-11-${String(10 + day++)}T00:00:00Z`);

  beforeAll(async () => {
    world = await deployMembers(python);
    await world.setHourly('DISABLED');
    expect(await seal()).toEqual({ status: 'SUCCEEDED' });
  }, 300_000);
  afterAll(() => world?.[Symbol.asyncDispose](), 60_000);

  const isWhole = async (member: string) => ((await world.lacking(member)).length === 0 ? true : undefined);
  const joined = async (member: string) => {
    await world.join(member);
    expect(await world.deliver()).toEqual({ status: 'SUCCEEDED' });
    expect(await world.lacking(member)).toEqual([]);
  };

  test('an execution of its state machine checks who is new and fills its bucket, which proves itself', async () => {
    await world.join('bank-a');
    expect(await world.lacking('bank-a')).not.toEqual([]);
    expect(await world.deliver()).toEqual({ status: 'SUCCEEDED' });
    expect(await world.deliveryTo('bank-a')).toEqual({ status: 'SUCCEEDED' });
    expect(await world.member('bank-a')).toMatchObject({ state: 'active', check: { faults: [] }, by: 'delivery' });
    expect(await verified('bank-a')).toMatchObject({ status: 0, json: { ok: true } });
    // Nothing but what members may see, and what the check has left behind.
    const held = (await Array.fromAsync(world.share('bank-a').list(''))).map(({ key }) => key.split('/')[0]);
    expect([...new Set(held)].sort()).toEqual(['canary', 'chain', 'format.json', 'keys']);
    const receipts = (await Array.fromAsync(world.vault.list('deliveries/bank-a/'))).map(({ key }) => key);
    expect(receipts.filter((key) => key.endsWith('.json')).length).toBeGreaterThan(0);
  }, 120_000);

  test('its schedule starts it', async () => {
    await world.join('bank-b');
    const before = (await world.starts()).length;
    await world.setHourly('ENABLED', 'rate(1 minute)');
    try {
      await soon(() => isWhole('bank-b'), 150_000, 'a delivery by schedule');
    } finally {
      await world.setHourly('DISABLED');
    }
    expect((await world.starts()).length).toBeGreaterThan(before);
  }, 200_000);

  test('a seal starts it: the deployed workflow of the chain exports from a node, and the member has it', async () => {
    await joined('bank-c');
    expect(await seal()).toEqual({ status: 'SUCCEEDED' });
    await soon(() => isWhole('bank-c'), 60_000, 'a delivery after a seal');
    expect((await world.starts())[0]).toMatch(/^consortium-2026-11-\d\dT000000Z-/);
    expect(await verified('bank-c')).toMatchObject({ status: 0, json: { ok: true } });
  }, 120_000);

  test('who was switched off, or suspended, gets what was sealed meanwhile once it is back, and nothing before', async () => {
    await joined('bank-d');
    await joined('bank-e');
    await world.act('bank-d', { what: 'set', environmentBackupTarget: false });
    const fault = { name: SUSPENDED_BY_HAND, message: 'a person has said so', remedy: 'Resume it.' };
    await world.act('bank-e', { what: 'suspend', fault });
    expect(await seal()).toEqual({ status: 'SUCCEEDED' });
    expect(await world.deliver()).toEqual({ status: 'SUCCEEDED' });
    for (const member of ['bank-d', 'bank-e']) expect(await world.lacking(member)).toHaveLength(1);
    await world.act('bank-d', { what: 'set', environmentBackupTarget: true });
    await world.act('bank-e', { what: 'resume' });
    expect(await world.deliver()).toEqual({ status: 'SUCCEEDED' });
    for (const member of ['bank-d', 'bank-e']) expect(await world.lacking(member)).toEqual([]);
  }, 120_000);

  test('a bucket without the policy that members are told to have gets no file, and is told what it allows', async () => {
    await world.join('bank-f', { policy: false });
    expect(await world.deliver()).toEqual({ status: 'SUCCEEDED' });
    const { state, check } = (await world.member('bank-f')) ?? {};
    expect([state, check?.faults.map(({ name }) => name)]).toEqual([
      'invited',
      ['OVERWRITABLE', 'DELETABLE', 'WIDE_OPEN'],
    ]);
    expect((await Array.fromAsync(world.share('bank-f').list('chain/'))).length).toBe(0);
  }, 60_000);

  test.each([
    ['ListMembers', 's3:ListBucket', 'VaultUnavailable', 'bank-g'],
    ['StartDeliveries', 'states:StartExecution', 'StepFunctionsRefused', 'bank-h'],
    ['DeliverMember', 'sts:AssumeRole', 'DeliveryRoleUnusable', 'bank-i'],
    ['DeliverMember', 's3:PutObject', 'VaultUnavailable', 'bank-j'],
    ['DeliverMember', 'kms:Sign', 'KmsKeyUnusable', 'bank-k'],
  ])(
    'without one grant a delivery fails by name: %s may not %s',
    async (role, action, name, member) => {
      await world.join(member);
      const grantAgain = await world.withhold(role, action);
      try {
        const deliveries = await world.deliver();
        const failed = role === 'DeliverMember' ? await world.deliveryTo(member) : deliveries;
        expect(failed).toMatchObject({ status: 'FAILED', error: name, cause: expect.stringContaining('AccessDenied') });
        const receipts = (await Array.fromAsync(world.vault.list(`deliveries/${member}/`))).map(({ key }) => key);
        expect(receipts.filter((key) => key.endsWith('.json'))).toEqual([]);
      } finally {
        await grantAgain();
      }
      expect(await world.deliver()).toEqual({ status: 'SUCCEEDED' });
      expect(await world.lacking(member)).toEqual([]);
    },
    120_000,
  );

  /** `ledgerhold verify --vault s3://…` of a member's share, by whoever may read its bucket. */
  async function verified(member: string): Promise<Said> {
    const { AWS_ENDPOINT_URL: endpoint, ...env } = world.ministack.env;
    const file = join(world.ministack.home, 'public-key.pem');
    for await (const { key } of world.vault.list('keys/')) {
      if (key.endsWith('.pem')) await writeFile(file, (await world.vault.get(key)) ?? '');
    }
    const address = `s3://${member}-files/ledgerhold/acme/${member}/`;
    const args = ['verify', '--vault', address, '--public-key', file, '--json'];
    const child = spawn(process.execPath, [PROGRAM, ...args], {
      cwd: world.ministack.home,
      env: { ...env, AWS_ENDPOINT_URL_S3: endpoint },
    });
    return ended(child);
  }
});
