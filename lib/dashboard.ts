import { Duration } from 'aws-cdk-lib';
import {
  AlarmStatusWidget,
  Color,
  Dashboard,
  GraphWidget,
  type IAlarm,
  type IWidget,
  LogQueryWidget,
  MathExpression,
  Metric,
  TableWidget,
  TextWidget,
} from 'aws-cdk-lib/aws-cloudwatch';
import type { ILogGroup } from 'aws-cdk-lib/aws-logs';
import type { IStateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { ALARMS, awsAlarms, ruleOf, runbookOf, TOO_OLD } from '../core/alarms.ts';
import { dashboardName } from '../core/deployed-names.ts';
import { GAUGES, type GaugeName, NAMESPACE } from '../core/gauges.ts';
import { LAG_SECONDS } from '../core/member-alarms.ts';
import type { NetworkName } from '../core/names.ts';
import type { WatchedNode } from '../lambdas/watchdog/contract.ts';

export interface LedgerDashboardProps {
  readonly network: NetworkName;
  readonly nodes: readonly WatchedNode[];
  readonly alarms: readonly IAlarm[];
  /** Whether files are delivered to members. */
  readonly members: boolean;
  readonly workflows: readonly IStateMachine[];
  /** Of the steps and of the watchdog: what failed is listed from them. */
  readonly logGroups: readonly ILogGroup[];
}

/** A widget of alarms shows 100, and a query reads 50 groups of logs. */
const ALARMS_A_WIDGET = 100;
const GROUPS_A_QUERY = 50;

/** One page for a network: are we safe now, when was it last proven, what runs, what failed, what runs out. */
export class LedgerDashboard extends Construct {
  constructor(scope: Construct, id: string, props: LedgerDashboardProps) {
    super(scope, id);
    const dashboard = new Dashboard(this, 'Dashboard', {
      dashboardName: dashboardName(props.network),
      defaultInterval: Duration.days(2),
    });
    const rows: readonly IWidget[][] = [
      [safeNow(props)],
      alarmsOf(props.alarms),
      [lastProven(props), running(props)],
      [outcomes(props), runningOut(props)],
      [chains(props), ...(props.members ? [members(props)] : [])],
      ...(props.members ? [[furthestBehind(props)]] : []),
      [failures(props.logGroups)],
      [runbooks()],
    ];
    for (const row of rows) dashboard.addWidgets(...row);
  }
}

/** Of whatever nodes there are when the page is looked at: an expression finds 500 of them. */
function found(gauge: GaugeName, network: string, label: string, statistic = 'Maximum'): MathExpression {
  const { of } = GAUGES[gauge];
  const search = `{${NAMESPACE},${of.join(',')}} MetricName="${gauge}" network="${network}"`;
  return new MathExpression({
    expression: `SEARCH('${search}', '${statistic}', 300)`,
    usingMetrics: {},
    label,
    period: Duration.minutes(5),
  });
}

function safeNow({ network, nodes }: LedgerDashboardProps): IWidget {
  const limits = [...new Set(nodes.map(({ everySeconds }) => everySeconds * TOO_OLD))].toSorted((a, b) => a - b);
  return new GraphWidget({
    title: 'Are we safe now? Age of what the newest proven set holds, by node and component',
    width: 24,
    height: 8,
    left: [found('RpoAge', network, '')],
    leftAnnotations: limits.map((value) => ({ value, color: Color.RED, label: `too old: ${value / 3600} h` })),
    leftYAxis: { min: 0, label: 'seconds', showUnits: false },
  });
}

function alarmsOf(alarms: readonly IAlarm[]): IWidget[] {
  return Array.from({ length: Math.ceil(alarms.length / ALARMS_A_WIDGET) }, (_, index) => {
    const some = alarms.slice(index * ALARMS_A_WIDGET, (index + 1) * ALARMS_A_WIDGET);
    return new AlarmStatusWidget({ title: 'Alarms', width: 24, alarms: [...some] });
  });
}

const lastProven = ({ network }: LedgerDashboardProps): IWidget =>
  new TableWidget({
    title: 'When was it last proven? Seconds since; what is not listed has no proven set',
    width: 12,
    height: 8,
    metrics: [found('RpoAge', network, ''), found('DrillAge', network, 'drill')],
  });

const running = ({ network }: LedgerDashboardProps): IWidget =>
  new GraphWidget({
    title: 'What runs? Seconds since the slot of a run under way was due; who is silent',
    width: 12,
    height: 8,
    left: [found('RunningFor', network, 'runs'), found('ScheduleSilence', network, 'silent')],
    leftYAxis: { min: 0, label: 'seconds', showUnits: false },
  });

function outcomes({ workflows }: LedgerDashboardProps): IWidget {
  const ends = ['ExecutionsSucceeded', 'ExecutionsFailed', 'ExecutionsAborted', 'ExecutionsTimedOut'];
  const metrics = workflows.flatMap(({ stateMachineArn: StateMachineArn }) =>
    ends.map((metricName) => {
      const dimensionsMap = { StateMachineArn };
      return new Metric({
        namespace: 'AWS/States',
        metricName,
        dimensionsMap,
        statistic: 'Sum',
        period: Duration.hours(1),
      });
    }),
  );
  return new GraphWidget({ title: 'Runs, by how they ended', width: 12, height: 6, left: metrics, stacked: true });
}

function runningOut({ network }: LedgerDashboardProps): IWidget {
  const quota = ruleOf('SNAPSHOT_QUOTA').threshold;
  return new GraphWidget({
    title: 'What runs out? Snapshot quota in percent; keys and nodes in danger',
    width: 12,
    height: 6,
    left: [found('SnapshotQuotaUsed', network, 'quota')],
    leftAnnotations: [{ value: Number(quota), color: Color.RED, label: `${quota} %` }],
    leftYAxis: { min: 0, max: 100, showUnits: false },
    right: [found('KeysEndangered', network, 'keys'), found('NodesUnreadable', network, 'unreadable nodes')],
  });
}

const chains = ({ network }: LedgerDashboardProps): IWidget =>
  new GraphWidget({
    title: 'Do the validators of each chain agree? 1: they agree on no new block',
    width: 12,
    height: 6,
    left: [found('ConsensusStalls', network, '')],
    leftYAxis: { min: 0, max: 1, showUnits: false },
  });

const members = ({ network }: LedgerDashboardProps): IWidget =>
  new GraphWidget({
    title: 'Are all members served? How many are suspended, lag, or wait for earlier files',
    width: 12,
    height: 6,
    left: [
      found('MembersSuspended', network, 'suspended'),
      found('MembersLagging', network, 'lagging'),
      found('BackfillsStalled', network, 'backfill stalled'),
    ],
    leftYAxis: { min: 0, showUnits: false },
  });

const furthestBehind = ({ network }: LedgerDashboardProps): IWidget =>
  new GraphWidget({
    title: 'Which members are late, the furthest behind? Seconds since what they lack was sealed, and blocks',
    width: 24,
    height: 6,
    left: [found('MemberLag', network, '')],
    leftAnnotations: [{ value: LAG_SECONDS, color: Color.RED, label: `MEMBER_LAGS: ${LAG_SECONDS / 3600} h` }],
    leftYAxis: { min: 0, label: 'seconds', showUnits: false },
    right: [found('MemberLagBlocks', network, '')],
    rightYAxis: { min: 0, label: 'blocks', showUnits: false },
  });

const failures = (groups: readonly ILogGroup[]): IWidget =>
  new LogQueryWidget({
    title: 'What failed, newest first',
    width: 24,
    height: 8,
    logGroupNames: groups.slice(0, GROUPS_A_QUERY).map(({ logGroupName }) => logGroupName),
    queryLines: [
      'fields @timestamp, node, slot, fence, component, step, failure.name, failure.message, failure.remedy',
      "filter message in ['failed', 'not measured']",
      'sort @timestamp desc',
      'limit 50',
    ],
  });

/** What the widget of alarms cannot name: stacks that are made after this one. */
const ELSEWHERE =
  'Alarms of chains, deliveries and further groups of nodes are not above: in CloudWatch, *Alarms*, search for the name of this dashboard.\n';

function runbooks(): IWidget {
  const lines = awsAlarms.map((name) => `- **${name}**: ${ALARMS[name].means} · \`${runbookOf(name)}\``);
  return new TextWidget({ width: 24, height: 10, markdown: ['## Runbooks', ELSEWHERE, ...lines].join('\n') });
}
