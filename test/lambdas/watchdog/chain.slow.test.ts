import { afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { App } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { Config } from '../../../config/schema.ts';
import { NetworkName } from '../../../core/names.ts';
import { WatchedNode } from '../../../lambdas/watchdog/contract.ts';
import { backupStacks, ChainStack } from '../../../lib/backup-stacks.ts';
import { UNBUNDLED } from '../../../lib/step-lambda.ts';
import { setChain } from '../../../vault/settings.ts';
import { type AlarmProperties, type Datapoint, stateOf } from '../../support/alarm-state.ts';
import { CHAIN_NODE, historyIn } from '../../support/toy-history.ts';
import { branch, grown } from '../../support/toy-network.ts';
import { type WatchedWorld, watchedWorld } from '../../support/watched-world.ts';

const watched = WatchedNode.parse({
  ...{ node: CHAIN_NODE, everySeconds: 21_600, timeZone: 'UTC', components: ['chain'], credentials: [] },
  chain: { enabled: true, timesADay: 4 },
});
const PREFIX = `ledgerhold-toy-net_${CHAIN_NODE}_`;
let alarms: readonly AlarmProperties[];

beforeAll(() => {
  const rpc = 'https://rpc.example.com';
  const node = { name: CHAIN_NODE, protocol: 'ethereum', client: 'geth', enabled: true, timesADay: 4 };
  const parts = { network: 'toy-net', vault: { folder: 'v' }, encryption: 'none', signing: { kms: 'k' } };
  const nodes = [{ ...node, monitor: { rpc }, validators: [{ name: 'bank-a', rpc }] }];
  const app = new App({ context: { [UNBUNDLED]: true } });
  const stack = backupStacks(app, Config.parse({ ...parts, nodes })).find((each) => each instanceof ChainStack);
  if (stack === undefined) throw new Error('there is no stack of a chain');
  const found = Template.fromStack(stack).findResources('AWS::CloudWatch::Alarm');
  alarms = Object.values(found)
    .map(({ Properties }) => Properties as AlarmProperties)
    // Those that are about what AWS counts have no value of ours.
    .filter(({ Namespace }) => Namespace === 'Ledgerhold');
}, 60_000);

let world: WatchedWorld;
let history: Awaited<ReturnType<typeof historyIn>>;
beforeEach(async () => {
  world = await watchedWorld([watched]);
  const place = { vault: world.vault, keys: world.keys, network: 'toy-net', now: () => world.now };
  history = await historyIn(place, 10);
  await history.run('2026-11-01T08:00:00Z');
});
afterEach(() => world.stop());

const raisedBy = (metrics: readonly Datapoint[]): string[] =>
  alarms
    .filter((alarm) => stateOf(alarm, Array(alarm.EvaluationPeriods).fill(metrics)) === 'ALARM')
    .map(({ AlarmName }) => AlarmName.slice(PREFIX.length))
    .sort();

/** As the operator does, at `at`. */
const set = (change: { readonly enabled?: boolean; readonly timesADay?: 1 | 2 | 3 | 4 }, at: string) => {
  const ports = {
    vault: world.vault,
    clock: { now: () => new Date(at) },
    network: NetworkName.parse('toy-net'),
    by: 'ann',
  };
  return setChain(ports, CHAIN_NODE, { enabled: true, timesADay: 4 }, change);
};

const remove = (part: string) => {
  for (const key of world.s3.memory.objects.keys()) if (key.includes(part)) world.s3.memory.objects.delete(key);
};

/** Each fault, by what it is, with every alarm that it raises and no other. */
const faults: readonly (readonly [string, readonly string[], () => Promise<unknown> | void])[] = [
  ['nothing is wrong', [], () => {}],
  ['the chain has not grown, and the run says so', [], () => history.run('2026-11-01T08:05:00Z')],
  [
    'the validators agree on nothing',
    ['CONSENSUS_STALLED'],
    async () => {
      history.stall();
      world.now = new Date('2026-11-01T12:01:00Z');
      await history.run('2026-11-01T12:00:00Z').catch(() => {});
    },
  ],
  [
    'nobody begins a slot for 20 minutes',
    ['SCHEDULE_SILENT'],
    () => {
      world.now = new Date('2026-11-01T12:20:00Z');
    },
  ],
  [
    'no run has been sealed for longer than one and a half periods',
    ['SCHEDULE_SILENT', 'chain_RPO_EXCEEDED'],
    () => {
      world.now = new Date('2026-11-01T17:30:00Z');
    },
  ],
  [
    'nothing is begun and sealed for a day of a chain that was switched off',
    [],
    async () => {
      await set({ enabled: false }, '2026-11-01T09:00:00Z');
      world.now = new Date('2026-11-02T09:30:00Z');
    },
  ],
  [
    'nothing for nine and a half hours, where it was set to once a day',
    [],
    async () => {
      await set({ timesADay: 1 }, '2026-11-01T09:00:00Z');
      world.now = new Date('2026-11-01T17:30:00Z');
    },
  ],
  [
    'the one slot of the day is begun by nobody, nor the next day’s',
    ['SCHEDULE_SILENT', 'chain_RPO_EXCEEDED'],
    async () => {
      await set({ timesADay: 1 }, '2026-11-01T09:00:00Z');
      world.now = new Date('2026-11-02T21:30:00Z');
    },
  ],
  [
    'nothing yet since it was switched on again an hour ago, after a week',
    [],
    async () => {
      await set({ enabled: false }, '2026-11-01T09:00:00Z');
      await set({ enabled: true }, '2026-11-08T09:00:00Z');
      world.now = new Date('2026-11-08T10:00:00Z');
    },
  ],
  [
    'nothing since it was switched on ten hours ago',
    ['SCHEDULE_SILENT', 'chain_RPO_EXCEEDED'],
    async () => {
      await set({ enabled: false }, '2026-11-01T09:00:00Z');
      await set({ enabled: true }, '2026-11-08T09:00:00Z');
      world.now = new Date('2026-11-08T19:00:00Z');
    },
  ],
  ['a file that the newest run has stored is gone', ['SET_DAMAGED'], () => remove('block-4-7.rlp')],
  ['a record of the newest run is gone', ['SET_DAMAGED'], () => remove('records/2026-11-01T08:00:00Z-block-8-9')],
  ['no manifest is signed by our key', ['chain_RPO_EXCEEDED'], () => remove('.sig')],
];

describe('the watchdog over a chain', () => {
  test.each(faults)('%s: %j', async (_, expected, act) => {
    await act();
    const { metrics } = await world.turn();
    expect(raisedBy(metrics)).toEqual([...expected].sort());
  });

  test('a stall is over with the next run that is sealed', async () => {
    history.stall();
    await history.run('2026-11-01T08:02:00Z').catch(() => {});
    history = await historyIn({ ...history, network: 'toy-net', now: () => world.now }, 10);
    history.node.chain = await grown(history.node.chain, 10, branch(3, 1));
    world.now = new Date('2026-11-01T12:01:00Z');
    await history.run('2026-11-01T12:00:00Z');
    expect(raisedBy((await world.turn()).metrics)).toEqual([]);
  });
});
