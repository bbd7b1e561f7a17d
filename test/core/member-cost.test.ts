import { describe, expect, test } from '@jest/globals';
import { MEMBER_REQUESTS, receiptsOf, requestsFor, type Shipment, transitionsOf } from '../../core/member-calls.ts';
import { type MemberLoad, memberCost } from '../../core/member-cost.ts';
import { MemberId } from '../../core/members.ts';
import { pricesFor } from '../../core/prices.ts';
import type { Vault } from '../../core/vault.ts';
import { run as deliverMember } from '../../lambdas/deliver-member/run.ts';
import { run as listMembers } from '../../lambdas/list-members/run.ts';
import { deliveryWorld } from '../support/delivery-world.ts';
import { unprovenSigner } from '../support/toy-deliveries.ts';
import { emitted } from '../support/workflows.ts';

const { prices } = pricesFor('eu-central-1');
/** 10,000 files of 60 MB, and four a day. */
const history: Shipment = { manifests: 10_000, records: 10_000, files: 10_000, objects: 50_000, bytes: 600e9 };
const run: Shipment = { manifests: 1, records: 1, files: 1, objects: 5, bytes: 60e6 };
const load: MemberLoad = {
  ...{ member: 'bank-a', elsewhere: false, onAws: true, ownKey: false, reads: false },
  ...{ history, run, runsAMonth: 120 },
};
const cost = (more: Partial<MemberLoad> = {}) => memberCost({ ...load, ...more }, prices, prices);
const lineOf = (what: string, more: Partial<MemberLoad> = {}) => cost(more).lines.find((line) => line.what === what);

/** LIST and PUT have one price; to see that a key is there, S3 lists. */
const COUNTED = { get: 'reads', list: 'writes', stat: 'writes', putOnce: 'writes' } as const;

async function counted(manifests: number, files: number, before: number, chainFiles = true) {
  const world = deliveryWorld();
  for (let n = 0; n < before; n++) await world.history.seal(Buffer.from(`before ${n}`));
  await world.join('bank-a');
  await world.act('bank-a', { what: 'set', chainFiles });
  const requests = { reads: 0, writes: 0 };
  const vault = new Proxy(world.vault, {
    get: (target, name: keyof typeof COUNTED) => {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== 'function' || !(name in COUNTED)) return value;
      return (...args: unknown[]) => {
        requests[COUNTED[name]] += 1;
        return value.apply(target, args);
      };
    },
  }) as Vault;

  const common = { ...world.registry, vault, journal: { note: () => {}, failure: () => {} }, serves: () => true };
  const ports = { ...common, signer: unprovenSigner, turn: 1e9, destinationOf: world.destinationOf };
  const member = MemberId.parse('bank-a');
  if (before > 0) await deliverMember({ member }, ports);
  for (let n = 0; n < manifests; n++) {
    await world.history.seal(...Array.from({ length: files }, (_, i) => Buffer.from(`${n} ${i}`)));
  }
  Object.assign(requests, { reads: 0, writes: 0 });
  await deliverMember({ member }, ports);
  const turn = { ...requests };
  Object.assign(requests, { reads: 0, writes: 0 });
  await listMembers({}, { ...common, gauges: { set: () => {} }, atWork: async () => new Set(), wait: async () => {} });
  return { turn, look: { ...requests } };
}

describe('what is counted of a delivery', () => {
  test.each([
    [1, 1, 1],
    [4, 1, 1],
    [1, 4, 2],
    [3, 3, 1],
    [1, 1, 10],
  ])(
    'are the requests of a real turn, within two: %i manifests of %i files, %i before',
    async (manifests, files, before) => {
      const { turn, look } = await counted(manifests, files, before);
      const objects = manifests * (2 * files + 3);
      const records = manifests * files;
      const expected = requestsFor({ manifests, records, files: records, objects, bytes: 0 });
      // A copy within S3 asks for each file's size first, which is no call of the vault's here.
      const reads = turn.reads + manifests * files;
      expect(Math.abs(reads - expected.reads)).toBeLessThanOrEqual(2);
      expect(Math.abs(turn.writes - expected.writes)).toBeLessThanOrEqual(2);
      expect(Math.abs(look.reads - MEMBER_REQUESTS.look.reads)).toBeLessThanOrEqual(1);
      expect(Math.abs(look.writes - MEMBER_REQUESTS.look.writes)).toBeLessThanOrEqual(1);
    },
  );

  test('are those of a turn for a member that takes no chain files, of which no size is asked', async () => {
    const { turn } = await counted(3, 5, 1, false);
    const expected = requestsFor({ manifests: 3, records: 15, files: 0, objects: 24, bytes: 0 });
    expect(Math.abs(turn.reads - expected.reads)).toBeLessThanOrEqual(2);
    expect(Math.abs(turn.writes - expected.writes)).toBeLessThanOrEqual(2);
  });

  test('are the states of the definition that runs', () => {
    const { States, StartAt } = emitted('member-delivery') as { States: Record<string, object>; StartAt: string };
    expect(transitionsOf(run)).toBe(Object.keys(States).length);
    const turns = transitionsOf({ ...run, objects: 100_000 }) - transitionsOf(run);
    // Each further turn enters the task and the choice again, and not the end.
    expect(turns % (Object.keys(States).length - 1)).toBe(0);
    expect(States[StartAt]).toMatchObject({ Type: 'Task' });
  });
});

describe('a member', () => {
  test('is filled with 10,000 files of 60 MB for cents of ours, and pays for what it puts and keeps', () => {
    const { sums, lines } = cost();
    expect(sums.network.backfill).toBeLessThan(0.2);
    expect(sums.network.month).toBeLessThan(0.2);
    expect(lineOf('Objects put')).toMatchObject({ payer: 'member', backfill: 50 * prices.s3Per1000Writes });
    expect(lineOf('Storage')?.month).toBeCloseTo(607.2 * prices.s3PerGigabyteMonth);
    for (const payer of ['network', 'member'] as const) {
      const own = lines.filter((line) => line.payer === payer);
      expect(sums[payer].backfill).toBeCloseTo(own.reduce((sum, { backfill }) => sum + backfill, 0));
      expect(sums[payer].month).toBeCloseTo(own.reduce((sum, { month }) => sum + month, 0));
    }
    expect(lineOf('Signatures')?.backfill).toBeCloseTo((receiptsOf(history) / 10_000) * prices.kmsPer10000Signatures);
  });

  test('in another Region costs us the way there, once and each month', () => {
    expect(lineOf('Transfer')).toBeUndefined();
    const line = lineOf('Transfer', { elsewhere: true });
    expect(line).toMatchObject({ payer: 'network', backfill: 600 * 0.02 });
    expect(line?.month).toBeCloseTo(7.2 * 0.02);
  });

  test('that lets us read pays for it, from another Region for the way back too; its own key is its own', () => {
    const weeks = 30 / 7;
    expect(lineOf('Reading back', { reads: true })?.month).toBeCloseTo(weeks * 50 * prices.s3Per1000Reads);
    const far = lineOf('Reading back', { reads: true, elsewhere: true })?.month ?? 0;
    expect(far).toBeCloseTo(weeks * (50 * prices.s3Per1000Reads + 600 * 0.02));
    expect(lineOf('Key', { ownKey: true })).toMatchObject({ payer: 'member', month: prices.kmsPerKeyMonth });
    const months = (more: Partial<MemberLoad>) => lineOf('Step Functions', more)?.month ?? NaN;
    expect(months({ reads: true }) - months({})).toBeCloseTo(30 * 3 * 0.000_025);
  });

  test('that a machine of ours delivers to costs no Step Functions, no Lambda and no hourly look on AWS', () => {
    expect(cost({ onAws: false }).lines.map(({ what }) => what)).toEqual([
      ...['Requests to the vault', 'Signatures', 'Objects put', 'Storage'],
    ]);
    const look = 720 * (0.007 * prices.s3Per1000Reads + 0.007 * prices.s3Per1000Writes);
    const months = (onAws: boolean) => lineOf('Requests to the vault', { onAws })?.month ?? NaN;
    expect(months(true) - months(false)).toBeCloseTo(look);
  });
});
