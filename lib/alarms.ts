import { Duration, Stack } from 'aws-cdk-lib';
import {
  Alarm,
  AlarmRule,
  ComparisonOperator,
  CompositeAlarm,
  type IAlarm,
  type IAlarmRule,
  type IMetric,
  Metric,
  Stats,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import type { IStateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { ALARMS, type AwsAlarm, type AwsRule, awsAlarms, ruleOf, runbookOf, TOO_OLD } from '../core/alarms.ts';
import { alarmName } from '../core/deployed-names.ts';
import type { NetworkName } from '../core/names.ts';
import type { WatchedNode } from '../lambdas/watchdog/contract.ts';
import type { AlarmTopics } from './alarm-topics.ts';

export interface AlarmsProps {
  readonly network: NetworkName;
  readonly topics: AlarmTopics;
  readonly nodes: readonly WatchedNode[];
  /** A workflow of runs, and the step that leaves the reason of a failed one in the vault. */
  readonly workflow?: { readonly stateMachine: IStateMachine; readonly failRun: IFunction };
  /** The step of retention that fails where something does not expire; the workflow goes on with the other nodes. */
  readonly retain?: IFunction;
  /** The workflow of that step. */
  readonly retention?: IStateMachine;
  /** Where the starts of runs end that EventBridge could not deliver. */
  readonly deadLetters?: IQueue;
  /** What fills the second vault, where there is one. */
  readonly secondVault?: IStateMachine | undefined;
  /** Where the watchdog is, which measures what there is one of in a network. */
  readonly ofNetwork?: { readonly snapshots: boolean };
  /** Where the deliveries are, which measure how the network's members are. */
  readonly members?: true;
  /** What this stack is of a network that has several, as a part of names; default: the first. */
  readonly part?: readonly string[];
}

/** Context of an app for a place that knows no composite alarms: then each alarm that pages does so by itself. */
export const NO_COMPOSITE = 'ledgerhold:no-composite';

/** What one alarm is about. */
interface Subject {
  /** Parts of its name, such as a node and its component. */
  readonly about: readonly string[];
  readonly dimensions: Readonly<Record<string, string>>;
  readonly everySeconds?: number;
}

/** Every alarm of the table that these nodes, this workflow and this network have. */
export class Alarms extends Construct {
  readonly all: readonly IAlarm[];

  constructor(scope: Construct, id: string, props: AlarmsProps) {
    super(scope, id);
    const made = awsAlarms.flatMap((name) => subjectsOf(name, props).flatMap((each) => this.#raise(name, each, props)));
    for (const { alarm } of made) alarm.addAlarmAction(props.topics.tell);
    for (const { alarm } of made) alarm.addOkAction(props.topics.tell);
    this.all = made.map(({ alarm }) => alarm);
    this.#page(
      made.filter(({ pages }) => pages).map(({ alarm }) => alarm),
      props,
    );
  }

  #raise(name: AwsAlarm, subject: Subject, { network }: AlarmsProps) {
    const rule = ruleOf(name);
    return metricsOf(rule, subject).map(({ metric, suffix }) => {
      const title = alarmName(network, ...subject.about, name, ...suffix);
      const alarm = new Alarm(this, [name, ...subject.about, ...suffix].join('_'), {
        alarmName: title,
        alarmDescription: this.#description(name, title),
        metric,
        threshold: rule.threshold === 'rpo' ? (subject.everySeconds ?? 0) * TOO_OLD : rule.threshold,
        comparisonOperator:
          rule.breaches === 'above'
            ? ComparisonOperator.GREATER_THAN_THRESHOLD
            : ComparisonOperator.LESS_THAN_THRESHOLD,
        evaluationPeriods: rule.periods,
        treatMissingData: MISSING[rule.missing],
      });
      return { alarm, pages: rule.pages };
    });
  }

  /** At most 1,024 characters, and enough for who is woken by it. */
  #description(name: AwsAlarm, title: string): string {
    const { region } = Stack.of(this);
    const console = `https://${region}.console.aws.amazon.com/cloudwatch/home?region=${region}#alarmsV2:alarm/${title}`;
    return `${ALARMS[name].means}. Runbook: ${runbookOf(name)}. Console: ${console}`;
  }

  /** Many that page at once wake somebody once. */
  #page(paging: readonly IAlarm[], { topics, network, part = [] }: AlarmsProps): void {
    // On a command line every value is a text.
    if ([true, 'true'].includes(this.node.tryGetContext(NO_COMPOSITE))) {
      for (const alarm of paging) (alarm as Alarm).addAlarmAction(topics.wake);
      return;
    }
    const page = (...parts: string[]) => alarmName(network, ...part, 'PAGE', ...parts);
    const groups = inGroups(paging).map((group, index) => {
      const compositeAlarmName = page(String(index + 1));
      return new CompositeAlarm(this, `Page${index + 1}`, { compositeAlarmName, alarmRule: anyOf(group) });
    });
    if (groups.length === 0) return;
    const means = 'somebody must look now: an alarm that pages is raised. Its own description names its runbook';
    new CompositeAlarm(this, 'Page', {
      compositeAlarmName: page(),
      alarmDescription: means,
      alarmRule: anyOf(groups),
    }).addAlarmAction(topics.wake);
  }
}

const MISSING: Readonly<Record<AwsRule['missing'], TreatMissingData>> = {
  breaching: TreatMissingData.BREACHING,
  notBreaching: TreatMissingData.NOT_BREACHING,
  ignore: TreatMissingData.IGNORE,
};

/** A rule has at most 100 children and 10,240 characters; an ARN with the longest names and ` OR ALARM("")` has 190. */
export const ALARMS_A_RULE = 50;

const inGroups = (alarms: readonly IAlarm[]): IAlarm[][] =>
  Array.from({ length: Math.ceil(alarms.length / ALARMS_A_RULE) }, (_, index) =>
    alarms.slice(index * ALARMS_A_RULE, (index + 1) * ALARMS_A_RULE),
  );

const anyOf = (alarms: readonly IAlarm[]): IAlarmRule => AlarmRule.anyOf(...alarms);

/** What a rule is raised for, each by itself. */
function subjectsOf(name: AwsAlarm, props: AlarmsProps): Subject[] {
  const { network, nodes, workflow, retain, deadLetters, ofNetwork, secondVault, part: about = [] } = props;
  const { metric, each } = ruleOf(name);
  if (each === 'chain') {
    const chains = nodes.filter(({ chain }) => chain !== undefined);
    return chains.map(({ node }) => ({ about: [node], dimensions: { network, node } }));
  }
  const watched = nodes.filter(({ credentials, identities }) => {
    return name !== 'IDENTITY_UNREADABLE' || credentials.length > 0 || identities !== undefined;
  });
  if (each === 'component') {
    return watched.flatMap(({ node, components, everySeconds }) =>
      components.map((component) => ({
        ...{ about: [node, component], dimensions: { network, node, component }, everySeconds },
      })),
    );
  }
  if (each === 'node') return watched.map(({ node }) => ({ about: [node], dimensions: { network, node } }));
  if (each === 'retention') {
    const { retention } = props;
    return retention === undefined ? [] : [{ about, dimensions: { StateMachineArn: retention.stateMachineArn } }];
  }
  if (each === 'second vault') {
    return secondVault === undefined ? [] : [{ about, dimensions: { StateMachineArn: secondVault.stateMachineArn } }];
  }
  if (each === 'workflow') {
    if (workflow === undefined) return [];
    const { stateMachine, failRun } = workflow;
    const ofStates = { StateMachineArn: stateMachine.stateMachineArn };
    const dimensions = metric.namespace === 'AWS/States' ? ofStates : { FunctionName: failRun.functionName };
    return [{ about, dimensions }];
  }
  if (metric.namespace === 'AWS/Lambda') {
    return retain === undefined ? [] : [{ about, dimensions: { FunctionName: retain.functionName } }];
  }
  if (metric.namespace === 'AWS/SQS') {
    return deadLetters === undefined ? [] : [{ about, dimensions: { QueueName: deadLetters.queueName } }];
  }
  if (each === 'members') return props.members === true ? [{ about: [], dimensions: { network } }] : [];
  if (ofNetwork === undefined || (name === 'SNAPSHOT_QUOTA' && !ofNetwork.snapshots)) return [];
  return [{ about: [], dimensions: { network } }];
}

/** One for each metric: what an expression makes of several depends on which of them have values. */
function metricsOf(
  { metric, periodSeconds }: AwsRule,
  { dimensions }: Subject,
): { metric: IMetric; suffix: string[] }[] {
  const common = {
    namespace: metric.namespace,
    dimensionsMap: { ...dimensions },
    period: Duration.seconds(periodSeconds),
  };
  if (metric.namespace === 'Ledgerhold') {
    const statistic = metric.statistic === 'Maximum' ? Stats.MAXIMUM : Stats.MINIMUM;
    return [{ metric: new Metric({ ...common, metricName: metric.name, statistic }), suffix: [] }];
  }
  const statistic = metric.namespace === 'AWS/SQS' ? Stats.MAXIMUM : Stats.SUM;
  return metric.names.map((metricName) => ({
    metric: new Metric({ ...common, metricName, statistic }),
    suffix: metric.names.length > 1 ? [metricName] : [],
  }));
}
