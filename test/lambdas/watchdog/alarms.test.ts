import { afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { awsAlarms, ruleOf } from '../../../core/alarms.ts';
import { Fence } from '../../../core/names.ts';
import { run as failRun } from '../../../lambdas/fail-run/run.ts';
import { putSigned } from '../../../vault/documents.ts';
import { manifestKey } from '../../../vault/layout.ts';
import { readManifest } from '../../../vault/sets.ts';
import { always } from '../../fakes/rds-world.ts';
import { type AlarmProperties, alarmIn, type Datapoint, isOf, stateOf } from '../../support/alarm-state.ts';
import { backupToy, healthy, reading, toyRun, toySteps } from '../../support/toy-sets.ts';
import { CREDENTIALS, watchedStack } from '../../support/watched-stack.ts';
import { IDENTITIES, IDENTITIES_KEY, KEYS, type WatchedWorld, watchedWorld } from '../../support/watched-world.ts';

const NETWORK = 'ledgerhold-toy-net_';
let alarms: ReadonlyMap<string, AlarmProperties>;

beforeAll(() => {
  const { alarms: all } = watchedStack('toy-net', { 'toy-1': ['app', 'ledger'] });
  // What AWS counts itself is watched in test/lib/second-vault.slow.test.ts and counted-alarms.slow.test.ts.
  const seen = all.filter(({ AlarmName }) => !/(SECOND_VAULT_BEHIND|RETENTION_SILENT)$/.test(AlarmName));
  alarms = new Map(seen.map((alarm) => [alarm.AlarmName.slice(NETWORK.length), alarm]));
}, 60_000);

let world: WatchedWorld;
beforeEach(async () => {
  world = await watchedWorld();
});
afterEach(() => world.stop());

const slotOf = (hour: number) => `2026-11-01T${String(hour).padStart(2, '0')}:00:00Z`;
const sealAt = async (hour: number, readings = healthy) => {
  const now = () => new Date(Date.parse(slotOf(hour)) + 60_000);
  return backupToy({ vault: world.vault, keys: world.keys, now }, slotOf(hour), {}, readings);
};

/** A run at this slot that ends with an error, as the workflow ends it. */
async function failAt(hour: number, error: string) {
  const now = () => new Date(Date.parse(slotOf(hour)) + 60_000);
  const run = toyRun(slotOf(hour));
  const steps = toySteps({ vault: world.vault, keys: world.keys, now }, run);
  const { fence } = await steps.claim();
  await failRun({ run, fence, failure: { Error: error, Cause: '{"errorMessage":"said so"}' } }, steps.ports);
}

/** What is raised when the watchdog goes on seeing this. */
const raisedBy = (metrics: readonly Datapoint[]): string[] =>
  [...alarms]
    .filter(([, alarm]) => stateOf(alarm, Array(alarm.EvaluationPeriods).fill(metrics)) === 'ALARM')
    .map(([name]) => name)
    .sort();

const RPO = ['toy-1_app_RPO_EXCEEDED', 'toy-1_ledger_RPO_EXCEEDED'];

/** Those of chains and of members are in stacks of their own, and driven in `chain.slow` and in `test/lambdas/delivery`. */
const ofSets = awsAlarms.filter((name) => !['chain', 'members'].includes(ruleOf(name).each));

/** Each fault, by what it is, with every alarm that it raises and no other. */
const faults: readonly (readonly [string, readonly string[], () => Promise<void> | void])[] = [
  [
    'runs fail until the newest set is too old',
    RPO,
    async () => {
      await failAt(12, 'VaultUnavailable');
      world.now = new Date('2026-11-01T14:05:00Z');
    },
  ],
  [
    'nobody begins a slot for 20 minutes',
    ['toy-1_SCHEDULE_SILENT'],
    () => {
      world.now = new Date('2026-11-01T12:20:00Z');
    },
  ],
  [
    'a run is refused since its positions contradict its order',
    ['toy-1_ORDER_VIOLATED'],
    async () => {
      const now = () => new Date('2026-11-01T12:01:00Z');
      const run = toyRun(slotOf(12));
      const steps = toySteps({ vault: world.vault, keys: world.keys, now }, run, {
        ...healthy,
        app: reading('app', 'seen', 9),
      });
      await steps.claim();
      await steps.capture();
      const error = await steps.seal().then(
        () => undefined,
        (refusal: Error) => refusal,
      );
      const failure = { Error: String(error?.name), Cause: JSON.stringify({ errorMessage: error?.message }) };
      await failRun({ run, fence: Fence.parse(1), failure }, steps.ports);
      world.now = new Date('2026-11-01T12:10:00Z');
    },
  ],
  [
    'the newest set was taken in another order than its ledger demands',
    ['toy-1_ORDER_VIOLATED'],
    async () => {
      const head = await readManifest(world.vault, 'toy-1', 2);
      if (head === undefined) throw new Error('there is no set');
      const { value, sha256 } = head;
      const reversed = { ...value, seq: 3, previous: sha256, waves: [...value.waves].reverse() };
      await putSigned(world.vault, world.keys.signer, manifestKey('toy-1', 3), reversed);
    },
  ],
  [
    'the newest set says nothing of its positions',
    ['toy-1_SET_UNPROVEN'],
    async () => {
      await sealAt(12, { ...healthy, app: { status: 'unknown', reason: 'a new schema' } });
      world.now = new Date('2026-11-01T12:10:00Z');
    },
  ],
  [
    'an artifact of the newest set is gone',
    ['toy-1_SET_DAMAGED'],
    () => {
      world.s3.memory.objects.delete(`toy-net/sets/toy-1/runs/${slotOf(8)}/1/app.bin`);
    },
  ],
  [
    'the newest manifest was changed by one bit',
    ['toy-1_SET_DAMAGED'],
    () => damage('sets/toy-1/manifests/00000002.json', 'spreadSeconds'),
  ],
  [
    'a receipt of the newest set was changed',
    ['toy-1_SET_DAMAGED'],
    () => damage(`sets/toy-1/runs/${slotOf(8)}/1/receipts/ledger.end.json`, 'size'),
  ],
  [
    'a secret that captures sign in with is being deleted',
    ['toy-1_IDENTITY_UNREADABLE'],
    () => {
      world.account.secrets.set(CREDENTIALS, { deleted: new Date(), versions: { one: ['AWSCURRENT'] } });
    },
  ],
  [
    'the secret of the identities is gone',
    ['toy-1_IDENTITY_UNREADABLE'],
    () => {
      world.account.secrets.delete(IDENTITIES);
    },
  ],
  [
    'secrets cannot be looked at',
    ['toy-1_IDENTITY_UNREADABLE'],
    () => {
      world.account.denied.add('DescribeSecret');
    },
  ],
  [
    'the envelope key is on its way to deletion',
    ['KEY_ENDANGERED'],
    () => {
      world.account.keys.set(KEYS[1] ?? '', { state: 'PendingDeletion', deletion: new Date('2026-11-08T00:00:00Z') });
    },
  ],
  ...[{ state: 'Disabled' }, { state: 'PendingDeletion', deletion: new Date('2026-11-08T00:00:00Z') }].map(
    (as): (typeof faults)[number] => [
      `the key of the secrets that hold identities is ${as.state}`,
      ['KEY_ENDANGERED'],
      () => {
        world.account.keys.set(IDENTITIES_KEY, as);
      },
    ],
  ),
  [
    'the key of a snapshot is disabled',
    ['KEY_ENDANGERED'],
    () => {
      const key = 'arn:aws:kms:eu-central-1:111111111111:key/database';
      world.account.keys.set(key, { state: 'Disabled' });
      // More than a page of others', and of another kind.
      for (let n = 1; n <= 120; n += 1) addSnapshot(`theirs-${String(n).padStart(3, '0')}`, {});
      addSnapshot('ledgerhold-7-toy-net-x', { KmsKeyId: key });
      world.rds.world.quota = 1000;
    },
  ],
  [
    'keys cannot be looked at',
    ['KEY_ENDANGERED'],
    () => {
      world.account.denied.add('DescribeKey');
    },
  ],
  [
    '71 of 100 snapshots of clusters are used',
    ['SNAPSHOT_QUOTA'],
    () => {
      const { clusterSnapshots } = world.rds.world;
      for (let n = 1; n <= 71; n += 1) {
        clusterSnapshots.set(`c-${n}`, { shape: {}, madeAt: 0, course: always('available') });
      }
    },
  ],
  [
    'the quota is not told',
    ['SNAPSHOT_QUOTA'],
    () => {
      world.rds.onCall(({ action }) => (action === 'DescribeAccountAttributes' ? { code: 'AccessDenied' } : undefined));
    },
  ],
  [
    'the key that signs is on its way to deletion, so that nothing can be proved',
    [...['KEY_ENDANGERED', 'WATCHDOG_SILENT', 'toy-1_IDENTITY_UNREADABLE', 'toy-1_SCHEDULE_SILENT'], ...RPO],
    () => {
      world.account.keys.set(KEYS[0] ?? '', { state: 'PendingDeletion' });
    },
  ],
  [
    'the vault refuses to be read',
    [...['WATCHDOG_SILENT', 'toy-1_IDENTITY_UNREADABLE', 'toy-1_SCHEDULE_SILENT'], ...RPO],
    () => {
      for (const operation of ['ListObjectsV2', 'GetObject'] as const) {
        world.s3.plan(operation, { status: 403, code: 'AccessDenied' }, 1000);
      }
    },
  ],
];

const addSnapshot = (id: string, shape: object) =>
  world.rds.world.snapshots.set(id, {
    shape: { DBSnapshotIdentifier: id, SnapshotType: 'manual', ...shape },
    madeAt: 0,
    course: always('available'),
  });

/** Flips the last bit of the first digit of a member. */
function damage(key: string, member: string): void {
  const stored = world.s3.memory.objects.get(`toy-net/${key}`);
  const body = Buffer.from(stored?.body ?? '');
  const at = body.indexOf(`"${member}":`) + member.length + 3;
  if (stored === undefined || at < member.length + 3) throw new Error(`there is no ${member} in ${key}`);
  body.writeUInt8(body.readUInt8(at) ^ 1, at);
  world.s3.memory.objects.set(`toy-net/${key}`, { ...stored, body });
}

describe('the watchdog, with the alarms as they are deployed', () => {
  test('raises none while all is well, and gives each of its alarms a value', async () => {
    await sealAt(4);
    await sealAt(8);
    const { metrics } = await world.turn();
    expect(raisedBy(metrics)).toEqual([]);
    const blind = [...alarms].filter(([, alarm]) => !metrics.some((point) => isOf(alarm, point)));
    expect(blind.filter(([, { Namespace }]) => Namespace === 'Ledgerhold')).toEqual([]);
  });

  test.each(faults)('%s: %j', async (_, expected, fault) => {
    await sealAt(4);
    await sealAt(8);
    await fault();
    const { metrics } = await world.turn();
    expect(raisedBy(metrics)).toEqual([...expected].sort());
  });

  test('that has seen no set yet tells no age, and that is an alarm', async () => {
    world.now = new Date('2026-11-01T08:20:00Z');
    const { metrics } = await world.turn();
    expect(raisedBy(metrics)).toEqual([...RPO, 'toy-1_SCHEDULE_SILENT'].sort());
  });

  test('that no longer runs raises all that its absence is a danger to, and first of all its own', () => {
    const absent = ofSets.filter(
      (name) => ruleOf(name).missing === 'breaching' && ruleOf(name).metric.namespace === 'Ledgerhold',
    );
    const raised = raisedBy([]);
    expect(raised).toContain('WATCHDOG_SILENT');
    expect(new Set(raised.map(alarmIn))).toEqual(new Set(absent));
  });

  test('that nothing is expected of, such as over a chain that is switched off, wakes nobody', async () => {
    const idle = await watchedWorld([]);
    try {
      const { metrics } = await idle.turn();
      const silent = [...alarms].find(([name]) => name === 'WATCHDOG_SILENT')?.[1];
      expect(silent && stateOf(silent, [metrics, metrics, metrics])).toBe('OK');
    } finally {
      await idle.stop();
    }
  });

  test('that comes late once wakes nobody', async () => {
    await sealAt(8);
    const { metrics } = await world.turn();
    for (const alarm of alarms.values()) expect(stateOf(alarm, [metrics, [], metrics])).toBe('OK');
  });

  test('is driven into a fault for each of its alarms', () => {
    const driven = new Set(faults.flatMap(([, raised]) => raised.map(alarmIn)));
    const watched = ofSets.filter((name) => ruleOf(name).metric.namespace === 'Ledgerhold');
    expect(driven).toEqual(new Set(watched));
  });
});
