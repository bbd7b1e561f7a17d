import type { Alarm, AwsRule } from './alarm-rule.ts';
import type { GaugeName } from './gauges.ts';

export type { Alarm, AwsRule } from './alarm-rule.ts';

/** A set this many times older than `every` is too old: the run after it has had half a period to end. */
export const TOO_OLD = 1.5;

/** The watchdog comes every 5 minutes. */
const WATCH_SECONDS = 300;

/**
 * Absent values breach, and only three periods in a row do: the watchdog’s turns drift, so that one period may hold two
 * values and the next one none.
 */
const absenceBreaches = { periodSeconds: WATCH_SECONDS, periods: 3, missing: 'breaching' } as const;

/** What the newest set says. It is read together with the age of the sets, so that its absence is told by that alarm. */
const asTheNewestSet = {
  each: 'node',
  breaches: 'above',
  threshold: 0,
  periodSeconds: WATCH_SECONDS,
  periods: 1,
  missing: 'ignore',
  absenceToldBy: 'RPO_EXCEEDED',
} as const;

/** Each delivery counts them, once an hour and after each seal. That it counts nothing at all is told by one of them. */
const ofTheMembers = {
  each: 'members',
  breaches: 'above',
  threshold: 0,
  periodSeconds: 3600,
  periods: 1,
  missing: 'ignore',
  absenceToldBy: 'MEMBER_LAGS',
  pages: false,
} as const;

/** AWS counts events: where none are counted none have happened. */
const counted = {
  breaches: 'above',
  threshold: 0,
  periodSeconds: WATCH_SECONDS,
  periods: 1,
  missing: 'notBreaching',
} as const;

const ours = (name: GaugeName, statistic: 'Maximum' | 'Minimum' = 'Maximum') =>
  ({ namespace: 'Ledgerhold', name, statistic }) as const;

/** Every alarm there is, on one machine and on AWS. Each has a runbook. */
export const ALARMS = {
  RUN_FAILED: {
    means: 'a run failed; the age of the newest set is the time that is left',
    serve: true,
    aws: {
      metric: {
        namespace: 'AWS/States',
        names: ['ExecutionsFailed', 'ExecutionsAborted', 'ExecutionsTimedOut', 'ExecutionThrottled'],
        of: 'StateMachineArn',
      },
      ...{ ...counted, each: 'workflow', pages: false },
    },
  },
  ORDER_VIOLATED: {
    means: 'a run’s captures contradict the order that the ledger demands; no such set is to be restored',
    serve: true,
    aws: { ...asTheNewestSet, metric: ours('OrderViolations'), pages: true },
  },
  SET_UNPROVEN: {
    means: 'a set was sealed, but its positions could not be read, so its order is attested by receipts alone',
    serve: true,
    aws: { ...asTheNewestSet, metric: ours('Unproven'), pages: false },
  },
  SET_DAMAGED: {
    means: 'something that a set needs is missing, cut, or not as it was sealed',
    serve: true,
    aws: { ...asTheNewestSet, metric: ours('Damages'), pages: true },
  },
  RPO_EXCEEDED: {
    means: 'the newest proven set is older than one and a half times `every`, or its age cannot be told',
    serve: true,
    aws: {
      ...{ ...absenceBreaches, metric: ours('RpoAge'), each: 'component' },
      ...{ breaches: 'above', threshold: 'rpo', pages: true },
    },
  },
  DISK_TOO_FULL: { means: 'a run did not start, since the vault’s disk has no room for its set', serve: true },
  RETENTION_FAILED: {
    means: 'what should expire did not; the vault grows until it does',
    serve: true,
    aws: {
      metric: { namespace: 'AWS/Lambda', names: ['Errors'], of: 'FunctionName' },
      ...{ ...counted, each: 'network', pages: false },
    },
  },
  RETENTION_SILENT: {
    means: 'retention has not come through for two hours; the vault grows until it does',
    serve: false,
    aws: {
      // One starts every hour. One whose node failed ends well: RETENTION_FAILED tells of that.
      metric: { namespace: 'AWS/States', names: ['ExecutionsSucceeded'], of: 'StateMachineArn' },
      ...{ each: 'retention', breaches: 'below', threshold: 1, periodSeconds: 3600, periods: 2 },
      ...{ missing: 'breaching', pages: false },
    },
  },
  SECOND_VAULT_BEHIND: {
    means: 'the second vault lacks what the first one has',
    serve: true,
    aws: {
      // An execution succeeds when nothing is lacking any more. One starts every hour, and may end in the next.
      metric: { namespace: 'AWS/States', names: ['ExecutionsSucceeded'], of: 'StateMachineArn' },
      ...{ each: 'second vault', breaches: 'below', threshold: 1, periodSeconds: 3600, periods: 2 },
      ...{ missing: 'breaching', pages: false },
    },
  },
  SILENT: {
    means: 'no ping came: raised by whoever is pinged, when `serve` no longer runs or something else is wrong',
    serve: true,
  },
  SCHEDULE_SILENT: {
    means: 'a run was due more than 15 minutes ago, and nobody has begun it',
    serve: false,
    aws: {
      ...{ ...absenceBreaches, metric: ours('ScheduleSilence'), each: 'node' },
      ...{ breaches: 'above', threshold: 900, pages: false },
    },
  },
  SCHEDULE_UNDELIVERED: {
    means: 'EventBridge gave a start of a run up; it lies in the dead-letter queue',
    serve: false,
    aws: {
      metric: { namespace: 'AWS/SQS', names: ['ApproximateNumberOfMessagesVisible'], of: 'QueueName' },
      ...{ ...counted, each: 'network', pages: false },
    },
  },
  REASON_UNTOLD: {
    means: 'a run failed, and the step that leaves the reason in the vault failed as well',
    serve: false,
    aws: {
      metric: { namespace: 'AWS/Lambda', names: ['Errors'], of: 'FunctionName' },
      ...{ ...counted, each: 'workflow', pages: false },
    },
  },
  CONSENSUS_STALLED: {
    means:
      'the validators of a chain agree on no block behind the last record; nothing of it is exported until they do',
    serve: true,
    aws: {
      ...{ ...absenceBreaches, metric: ours('ConsensusStalls'), each: 'chain' },
      ...{ breaches: 'above', threshold: 0, pages: true },
    },
  },
  MEMBER_SUSPENDED: {
    means: 'a member’s store refuses us, or is not what was registered; nothing goes there until a person has looked',
    serve: true,
    aws: { ...ofTheMembers, metric: ours('MembersSuspended') },
  },
  MEMBER_LAGS: {
    means: 'a member lacks files that were sealed more than six hours ago, or on AWS nobody has looked for three hours',
    serve: true,
    aws: {
      ...ofTheMembers,
      metric: ours('MembersLagging'),
      // One period of three hours and not three of one: a lag is told by the first look that finds it, and the silence of
      // those who look by the third hour without a value. It ends three hours behind the last look that found one.
      periodSeconds: 3 * 3600,
      missing: 'breaching',
      absenceToldBy: undefined,
    },
  },
  BACKFILL_STALLED: {
    means: 'a member is being given the earlier files, and has got none for two hours',
    serve: true,
    aws: { ...ofTheMembers, metric: ours('BackfillsStalled') },
  },
  IDENTITY_UNREADABLE: {
    means: 'a secret of the node’s identities cannot be used, or does not hold those of the newest set',
    serve: false,
    aws: {
      ...{ ...absenceBreaches, metric: ours('IdentityFaults'), each: 'node' },
      ...{ breaches: 'above', threshold: 0, pages: false },
    },
  },
  KEY_ENDANGERED: {
    means: 'a key that backups need is disabled or on its way to deletion; with it every copy would be lost',
    serve: false,
    aws: {
      ...{ ...absenceBreaches, metric: ours('KeysEndangered'), each: 'network' },
      ...{ breaches: 'above', threshold: 0, pages: true },
    },
  },
  SNAPSHOT_QUOTA: {
    means: 'more than 70 % of the account’s manual snapshots are used; at 100 % no run succeeds',
    serve: false,
    aws: {
      ...{ ...absenceBreaches, metric: ours('SnapshotQuotaUsed'), each: 'network' },
      ...{ breaches: 'above', threshold: 70, pages: false },
    },
  },
  WATCHDOG_SILENT: {
    means: 'nothing has been watched for 15 minutes: no other alarm can be believed until this one is over',
    serve: false,
    aws: {
      ...{ ...absenceBreaches, metric: ours('NodesWatched', 'Minimum'), each: 'network' },
      ...{ breaches: 'below', threshold: 1, pages: true },
    },
  },
} as const satisfies Readonly<Record<string, Alarm>>;

export type AlarmName = keyof typeof ALARMS;

type Having<Property extends keyof Alarm, Value> = {
  [Name in AlarmName]: (typeof ALARMS)[Name] extends Readonly<Record<Property, Value>> ? Name : never;
}[AlarmName];

/** Those that `serve` raises. */
export type ServeAlarm = Having<'serve', true>;
/** Those that CloudWatch raises. */
export type AwsAlarm = Having<'aws', AwsRule>;

/** In the order of the table. */
export const awsAlarms = (Object.keys(ALARMS) as AlarmName[]).filter((name): name is AwsAlarm => 'aws' in ALARMS[name]);

export const ruleOf = (name: AwsAlarm): AwsRule => ALARMS[name].aws;

/** Relative to the package. */
export const runbookOf = (alarm: AlarmName): string => `docs/runbooks/${alarm.toLowerCase().replaceAll('_', '-')}.md`;

/** How many alarms a node of databases has on AWS: they are resources, and a stack holds 500. */
export function alarmsOfNode({ components }: { readonly components: readonly string[] }): number {
  const each = (dimension: AwsRule['each']) => awsAlarms.filter((name) => ruleOf(name).each === dimension).length;
  return each('component') * components.length + each('node');
}
