import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { canonicalBytes } from '../../core/canonical.ts';
import { NetworkName } from '../../core/names.ts';
import type { CaptureOrder } from '../../core/ports.ts';
import { Captured } from '../../core/receipts.ts';
import { SNAPSHOT_CONTENT, SnapshotReference, snapshotTags } from '../../core/snapshots.ts';
import { sha256 } from '../../io/digest.ts';
import { folderVault } from '../../local/folder-vault.ts';
import { actOn } from '../../vault/members.ts';
import { chainCli } from '../support/chain-cli.ts';
import { runCli } from '../support/cli.ts';
import { worldOnAws } from '../support/on-aws.ts';
import { toyRun, toySteps } from '../support/toy-sets.ts';

jest.setTimeout(30_000);

let on: Awaited<ReturnType<typeof worldOnAws>>;
beforeEach(async () => {
  on = await worldOnAws();
});
afterEach(() => on[Symbol.asyncDispose]());

interface CostNouns {
  readonly total: number;
  readonly orchestration: number;
  readonly prices: string;
  readonly lines: readonly { readonly what: string; readonly how: string; readonly dollars: number }[];
  readonly assumptions: readonly string[];
}
async function planned(...args: string[]): Promise<CostNouns> {
  const { exit, json, stderr } = await runCli(['plan', ...args, '--json'], { cwd: on.cwd });
  expect({ exit, stderr }).toMatchObject({ exit: 0 });
  return json()['cost'] as CostNouns;
}
const lineOf = ({ lines }: CostNouns, name: string) => lines.find(({ what }) => what === name);
const editConfig = async (change: (text: string) => string) => {
  const file = join(on.cwd, 'ledgerhold.yaml');
  await writeFile(file, change(await readFile(file, 'utf8')));
};

/** A set of one snapshot of so many GiB. */
async function setOf(gibibytes: number): Promise<void> {
  const steps = toySteps(on.world, toyRun('2026-11-01T00:00:00Z'));
  const { captures } = steps.ports;
  const finish = async (handle: string) => {
    const order = JSON.parse(handle) as CaptureOrder;
    const captured = await captures.finish(handle);
    if (order.component !== 'app') return captured;
    const { network, node, slot, fence, component } = order;
    const body = canonicalBytes(
      SnapshotReference.parse({
        ...{ format: 'ledgerhold/rds-snapshot/1', network, node, slot, fence, component, kind: 'instance' },
        ...{ id: 'one', arn: 'arn:one', source: 'app-db', sourceArn: 'arn:app-db', engine: 'postgres' },
        ...{ engineVersion: '15.4', createdAt: captured.startedAt, allocatedGibibytes: gibibytes, kmsKey: null },
        tags: snapshotTags(order, []),
        settings: { securityGroups: [], multiAz: false, iamAuthentication: false, deletionProtection: true },
      }),
    );
    const key = `${order.prefix}app.snapshot.json`;
    await on.world.vault.putOnce(key, body);
    const stored = { key, size: body.length, sha256: sha256(body) };
    const artifact = { ...stored, content: SNAPSHOT_CONTENT, encodings: [], plain: { size: body.length } };
    return Captured.parse({ ...captured, artifacts: [artifact] });
  };
  Object.assign(steps.ports, { captures: { ...captures, finish } });
  await steps.claim();
  await steps.capture();
  await steps.seal();
}

describe('the cost that plan prints', () => {
  test('is that of the network’s own config, line by line, with what was assumed and whose prices they are', async () => {
    const cost = await planned();
    expect(cost.lines.map(({ what }) => what)).toEqual([
      ...['Step Functions', 'Lambda', 'KMS', 'Secrets Manager', 'CloudWatch', 'RDS snapshots'],
    ]);
    expect(cost.total).toBeCloseTo(
      cost.lines.reduce((sum, { dollars }) => sum + dollars, 0),
      1,
    );
    expect(cost.orchestration).toBeLessThan(1);
    expect(cost.prices).toContain('eu-central-1');
    expect(cost.assumptions).toContainEqual(expect.stringContaining('20 GB for each database of toy-1'));
    const { stdout } = await runCli(['plan'], { cwd: on.cwd });
    expect(stdout).toMatch(/A month on AWS {2}about \$\d+\.\d\d; of it the runs themselves \$0\.\d\d/);
  });

  test('takes the sizes of databases from the newest set, and follows retention and schedule', async () => {
    await setOf(400);
    await editConfig((text) => `${text}retention: { keepLast: 1 }\n`);
    const cost = await planned();
    expect(lineOf(cost, 'RDS snapshots')).toMatchObject({ how: expect.stringMatching(/^400 GiB/) });
    expect(cost.assumptions.join()).not.toContain('no set tells');
    await editConfig((text) => text.replace('keepLast: 1', 'keepLast: 11'));
    expect(lineOf(await planned(), 'RDS snapshots')).toMatchObject({ how: expect.stringMatching(/^600 GiB/) });
    await editConfig((text) => text.replace('protocol: canton', 'protocol: canton\n    every: 1 hour'));
    expect(lineOf(await planned(), 'Step Functions')).toMatchObject({ how: expect.stringContaining('of 720 runs') });
  });

  test('is absent where nothing is on AWS', async () => {
    await editConfig((text) => text.replace(/^aws:.*\n/m, ''));
    expect(await planned()).toBeNull();
  });

  test('goes by prices that are given, and refuses what are none', async () => {
    await writeFile(join(on.cwd, 'prices.json'), '{ "kmsPerKeyMonth": 100 }');
    const cost = await planned('--prices', 'prices.json');
    expect(lineOf(cost, 'KMS')?.dollars).toBeGreaterThanOrEqual(400);
    expect(cost.prices).toContain('kmsPerKeyMonth as given');
    for (const bad of ['{ "kmsPerKey": 1 }', '{ "kmsPerKeyMonth": -1 }', 'free']) {
      await writeFile(join(on.cwd, 'prices.json'), bad);
      const { exit, json } = await runCli(['plan', '--prices', 'prices.json', '--json'], { cwd: on.cwd });
      expect([exit, json()['code']]).toEqual([2, 'USAGE_ERROR']);
    }
  });
});

describe('the cost of members that plan prints', () => {
  const REST = `    timesADay: 4
aws: { account: '111111111111', region: eu-central-1 }
members:
  - { id: bank-a, account: '222222222222', bucket: bank-a-files, region: eu-central-1 }
  - { id: bank-b, account: '333333333333', bucket: bank-b-files, region: us-east-1 }
  - { id: bank-c, folder: ./bank-c }
`;
  interface Sums {
    readonly backfill: number;
    readonly month: number;
  }
  interface MemberNouns {
    readonly member: string;
    readonly network: Sums;
    readonly own: Sums;
    readonly lines: readonly (Sums & { readonly what: string; readonly payer: string; readonly how: string })[];
  }

  test('is of each that has a bucket on AWS: the history as it is once, and a month of runs as large as the newest', async () => {
    await using chain = await chainCli(24);
    await chain.configure(REST);
    const membersOf = async (...args: string[]) =>
      ((await chain.cli('plan', ...args)).json() as { cost: CostNouns & { members: MemberNouns[] } }).cost.members;
    const line = (members: MemberNouns[], member: string, name: string) =>
      members.find((each) => each.member === member)?.lines.find(({ what }) => what === name);
    const empty = await membersOf();
    expect(empty.map(({ member }) => member)).toEqual(['bank-a', 'bank-b']);
    expect(line(empty, 'bank-a', 'Objects put')).toMatchObject({ how: '0, and 0 a month', payer: 'member' });
    await chain.configure(REST.replace("aws: { account: '111111111111', region: eu-central-1 }\n", ''));
    await chain.cli('backup');
    await chain.configure(REST);
    await writeFile(join(chain.cwd, 'dear.json'), '{ "transferPerGigabyteToAnotherRegion": 1000000 }');
    const members = await membersOf('--prices', 'dear.json');
    // Three files with their records, an agreement, a manifest and its signature; 120 times a month.
    expect(line(members, 'bank-a', 'Objects put')).toMatchObject({ how: '9, and 1,080 a month' });
    expect(line(members, 'bank-a', 'Requests to the vault')?.how).toContain('120 runs a month that add 9 each');
    expect(line(members, 'bank-a', 'Transfer')).toBeUndefined();
    const listed = folderVault(join(chain.cwd, 'vault')).list('chain/');
    const bytes = (await Array.fromAsync(listed)).reduce((sum, { size }) => sum + size, 0);
    expect(line(members, 'bank-b', 'Transfer')).toMatchObject({
      payer: 'network',
      backfill: expect.closeTo(bytes / 1000, 3),
    });
    const [vault, clock] = [folderVault(join(chain.cwd, 'vault')), { now: () => new Date() }];
    const registry = { vault, clock, network: NetworkName.parse('acme'), by: 'a test' };
    const bucket = { bucket: 'bank-b-files', region: 'us-east-1', account: '333333333333' };
    await actOn(registry, 'bank-b', { what: 'register', destination: { kind: 'bucket', ...bucket } });
    await actOn(registry, 'bank-b', { what: 'set', chainFiles: false });
    const witnessed = await membersOf('--prices', 'dear.json');
    expect(line(witnessed, 'bank-b', 'Objects put')).toMatchObject({ how: '6, and 720 a month' });
    const files = (await Array.fromAsync(vault.list('chain/'))).filter(
      ({ key }) => key.includes('.rlp') && !key.endsWith('.json'),
    );
    const fileBytes = files.reduce((sum, { size }) => sum + size, 0);
    expect(line(witnessed, 'bank-b', 'Transfer')?.backfill).toBeCloseTo((bytes - fileBytes) / 1000, 3);
    const { stdout } = await runCli(['plan'], { cwd: chain.cwd });
    expect(stdout).toMatch(/Member bank-b {2}we pay \$\d+\.\d\d once and \$\d+\.\d\d a month; it pays/);
  });
});
