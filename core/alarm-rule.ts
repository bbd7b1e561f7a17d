import type { Dimension, GaugeName } from './gauges.ts';

/** When an alarm on AWS is raised. Its metric's values are of one network, node, component or workflow each. */
export interface AwsRule {
  readonly metric: AlarmMetric;
  /** One alarm for each of these. */
  readonly each: Exclude<Dimension, 'member'> | 'chain' | 'workflow' | 'retention' | 'second vault' | 'members';
  readonly breaches: 'above' | 'below';
  /** `rpo`: `TOO_OLD` times the node’s `every`. */
  readonly threshold: number | 'rpo';
  readonly periodSeconds: number;
  /** Periods in a row that must breach. */
  readonly periods: number;
  readonly missing: 'breaching' | 'notBreaching' | 'ignore';
  /** Of the watchdog’s, whose absence is a danger: the alarm that then tells it, if this one does not itself. */
  readonly absenceToldBy?: 'RPO_EXCEEDED' | 'MEMBER_LAGS' | undefined;
  /** Somebody is woken, and not only told. */
  readonly pages: boolean;
}

export type AlarmMetric =
  | { readonly namespace: 'Ledgerhold'; readonly name: GaugeName; readonly statistic: 'Maximum' | 'Minimum' }
  /** Their sum. `of`: which resource of the workflow or network they are about. */
  | { readonly namespace: 'AWS/States'; readonly names: readonly string[]; readonly of: 'StateMachineArn' }
  | { readonly namespace: 'AWS/Lambda'; readonly names: readonly ['Errors']; readonly of: 'FunctionName' }
  | {
      readonly namespace: 'AWS/SQS';
      readonly names: readonly ['ApproximateNumberOfMessagesVisible'];
      readonly of: 'QueueName';
    };

export interface Alarm {
  /** One line, for whoever is told. */
  readonly means: string;
  /** `serve` raises it on one machine, or is the cause of it. */
  readonly serve: boolean;
  readonly aws?: AwsRule;
}
