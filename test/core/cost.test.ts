import { describe, expect, test } from '@jest/globals';
import { allowed } from '../../core/allowed-asl.ts';
import { type Load, looksAt, monthlyCost, type NodeLoad } from '../../core/cost.ts';
import { PRICES, Prices, pricesFor } from '../../core/prices.ts';
import { runCalls, vaultRequests } from '../../core/run-calls.ts';
import type { Vault } from '../../core/vault.ts';
import { backupRuntime } from '../../local/backup-runtime.ts';
import type { LocalCaptures } from '../../local/captures.ts';
import type { Protocol } from '../../protocols/protocol.ts';
import { MemoryVault } from '../fakes/memory-vault.ts';
import { healthy, newKeys, toyCaptures, toyProtocol, toyRun } from '../support/toy-sets.ts';
import { emitted } from '../support/workflows.ts';

const definition = allowed(emitted('backup'));
const { prices } = pricesFor('eu-central-1');

const validator: NodeLoad = {
  ...{ onAws: true, everySeconds: 4 * 3600, waves: [1, 1, 1], edges: 3, secrets: 2 },
  ...{ storedBytes: 1e6, snapshotGibibytes: [20, 50], setsKept: 30 },
};
const load = (...nodes: NodeLoad[]): Load => ({ nodes, s3: true, secondRegion: false });

const COUNTED = { get: 'reads', stat: 'reads', read: 'reads', list: 'writes', putOnce: 'writes', writeOnce: 'writes' };

/** Real runs in this process: the steps that they called, and what the newest asked of the vault. */
async function counted(extra: number, polls: number) {
  const requests = { reads: 0, writes: 0 };
  const vault = new Proxy(new MemoryVault(), {
    get: (target, name: keyof typeof COUNTED) => {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== 'function' || !(name in COUNTED)) return value;
      return (...args: unknown[]) => {
        requests[COUNTED[name] as 'reads' | 'writes'] += 1;
        return value.apply(target, args);
      };
    },
  }) as Vault;
  const names = Array.from({ length: extra }, (_, n) => `part-${n}`);
  const role = { kind: 'database', holds: 'a part', required: false } as const;
  const protocol: Protocol = {
    ...toyProtocol,
    roles: { ...toyProtocol.roles, ...Object.fromEntries(names.map((name) => [name, role])) },
    order: [...toyProtocol.order, ...names.map((name) => [name, 'ledger'] as const)],
  };
  const now = () => new Date('2026-11-01T00:00:00Z');
  const steps = new Map<string, number>();
  for (const slot of ['first', 'second', 'third']) {
    steps.clear();
    Object.assign(requests, { reads: 0, writes: 0 });
    const looks = new Map<string, number>();
    const captures: LocalCaptures = {
      ...toyCaptures(vault, healthy, now),
      poll: async (handle) => {
        looks.set(handle, (looks.get(handle) ?? 0) + 1);
        return { ended: looks.get(handle) === polls, progress: { bytes: 0 } };
      },
      stop: async () => {},
    };
    const keys = { signer: KEYS.signer, holderGone: () => false, protocolNamed: () => protocol };
    const runtime = backupRuntime(emitted('backup'), { vault, clock: { now }, captures, ...keys }, ({ kind, step }) => {
      if (kind === 'started') steps.set(step, (steps.get(step) ?? 0) + 1);
    });
    const components = [...names, 'app', 'ledger'].map((component) => ({ component, role: component }));
    await runtime.backup(toyRun(slot, { components, reason: 'manual' } as never), { executionId: slot });
  }
  return { steps, requests, shape: { waves: [extra + 1, 1], polls }, edges: extra + 1 };
}
const KEYS = newKeys();

describe('what is counted from the definition', () => {
  test.each([
    [0, 1],
    [1, 1],
    [1, 3],
    [4, 2],
  ])('are the calls of a real run: %i more components, %i looks', async (extra, polls) => {
    const { steps, shape } = await counted(extra, polls);
    expect(Object.fromEntries(runCalls(definition, shape).steps)).toEqual(
      // One machine promotes nothing, and asks nothing of the vault for it; the step is called all the same.
      Object.fromEntries(steps),
    );
  });

  test.each([
    [0, 1],
    [3, 2],
  ])('are the requests of a real run to its vault: %i more components, %i looks', async (extra, polls) => {
    const { requests, shape, edges } = await counted(extra, polls);
    const expected = vaultRequests(shape, edges);
    // What the promotion reads on AWS: the manifest and each end receipt.
    const promoted = 1 + extra + 2;
    expect({ ...requests, reads: requests.reads + promoted }).toEqual(expected);
  });
});

describe('a month', () => {
  test('of six runs a day of three databases costs less than a dollar to orchestrate', () => {
    const three = { ...validator, waves: [1, 1, 1], snapshotGibibytes: [20, 20, 50], secrets: 0 };
    const { orchestration, lines } = monthlyCost(definition, load(three), prices);
    expect(orchestration).toBeLessThan(1);
    expect(orchestration).toBeGreaterThan(0.1);
    const transitions = 180 * runCalls(definition, { waves: [1, 1, 1], polls: looksAt(600) }).transitions;
    expect(lines[0]).toMatchObject({ what: 'Step Functions', dollars: (transitions / 1000) * 0.025 });
  });

  test('is the sum of its lines, twice as much to run for twice the runs, and says how each comes about', () => {
    const once = monthlyCost(definition, load(validator), prices);
    const twice = monthlyCost(definition, load({ ...validator, everySeconds: 2 * 3600 }), prices);
    expect(once.total).toBeCloseTo(once.lines.reduce((total, { dollars }) => total + dollars, 0));
    expect(twice.orchestration).toBeCloseTo(2 * once.orchestration);
    for (const { how, dollars } of once.lines) expect([how === '', Number.isFinite(dollars)]).toEqual([false, true]);
  });

  test('keeps each snapshot whole once, and then what has changed', () => {
    const dollars = (setsKept: number) =>
      monthlyCost(definition, load({ ...validator, setsKept }), prices).lines.find(
        ({ what }) => what === 'RDS snapshots',
      )?.dollars ?? 0;
    expect(dollars(1)).toBeCloseTo(70 * prices.rdsSnapshotPerGibibyteMonth);
    expect(dollars(11)).toBeCloseTo(70 * 1.5 * prices.rdsSnapshotPerGibibyteMonth);
  });

  test('of a node that this machine runs is its vault alone; of a second Region the copies and the way there', () => {
    const here = { ...validator, onAws: false, snapshotGibibytes: [], storedBytes: 10e9, setsKept: 10 };
    const { lines, orchestration } = monthlyCost(definition, load(here), prices);
    expect([lines.map(({ what }) => what), orchestration]).toEqual([['S3 storage', 'S3 requests'], 0]);
    expect(lines[0]?.dollars).toBeCloseTo(100 * prices.s3PerGigabyteMonth);
    const second = monthlyCost(definition, { ...load(here), secondRegion: true }, prices).lines.at(-1);
    expect(second?.dollars).toBeGreaterThan(100 * prices.s3PerGigabyteMonth + 1800 * 0.02);
  });
});

describe('prices', () => {
  test('are told with their Region and date, and single ones can be given', () => {
    const own = pricesFor('us-east-1', { secretPerMonth: 9 });
    expect(own.prices).toEqual({ ...PRICES['us-east-1'], secretPerMonth: 9 });
    expect(own.source).toMatch(/^us-east-1: .*2026-11.*secretPerMonth as given$/);
    expect(pricesFor('ap-south-1').source).toMatch(/^eu-central-1: /);
    for (const table of Object.values(PRICES)) expect(Prices.safeParse(table).success).toBe(true);
  });
});
