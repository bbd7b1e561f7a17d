import { beforeAll, describe, expect, test } from '@jest/globals';
import { Match, type Template } from 'aws-cdk-lib/assertions';
import { alarmsOfNode, awsAlarms, ruleOf, runbookOf } from '../../core/alarms.ts';
import { ALARMS_A_RULE, NO_COMPOSITE } from '../../lib/alarms.ts';
import { type AlarmProperties, alarmIn } from '../support/alarm-state.ts';
import { watchedStack } from '../support/watched-stack.ts';

const COMPONENTS = ['identities', 'validator-app', 'participant'];

let made: ReturnType<typeof watchedStack>;
beforeAll(() => {
  made = watchedStack('acme', { 'validator-1': COMPONENTS, 'validator-2': COMPONENTS });
}, 60_000);

describe('the alarms of a network', () => {
  test('are those of the table, and for each node as many as are counted', () => {
    const named = (part: string) => made.alarms.filter(({ AlarmName }) => AlarmName.includes(part));
    // Those of a chain and of members are in stacks of their own: test/lambdas/watchdog/chain.slow.test.ts, delivery-stack.
    const here = awsAlarms.filter((name) => !['chain', 'members'].includes(ruleOf(name).each));
    expect(new Set(made.alarms.map(({ AlarmName }) => alarmIn(AlarmName)))).toEqual(new Set(here));
    expect(named('_validator-1_')).toHaveLength(alarmsOfNode({ components: COMPONENTS }));
    expect(new Set(made.alarms.map(({ AlarmName }) => AlarmName)).size).toBe(made.alarms.length);
  });

  test('are told apart where a node and a component could be read as another node and component', () => {
    const { alarms } = watchedStack('acme', { x: ['y-z'], 'x-y': ['z'] });
    const names = alarms.map(({ AlarmName }) => AlarmName).filter((each) => alarmIn(each) === 'RPO_EXCEEDED');
    expect(names.toSorted()).toEqual(['ledgerhold-acme_x-y_z_RPO_EXCEEDED', 'ledgerhold-acme_x_y-z_RPO_EXCEEDED']);
  });

  test('say what they mean, where their runbook is and where to look', () => {
    for (const { AlarmName, AlarmDescription } of made.alarms) {
      const text = JSON.stringify(AlarmDescription);
      const name = awsAlarms.find((each) => alarmIn(AlarmName) === each);
      expect(text).toContain(name === undefined ? 'none' : runbookOf(name));
      expect(text).toContain(`#alarmsV2:alarm/${AlarmName}`);
      expect(text.length).toBeLessThan(1024);
    }
  });

  test('that count what AWS counts name its metrics and the very resource', () => {
    const { backup, idOf } = made;
    const { workflow, steps, retention } = backup;
    const stateMachine = idOf(workflow.stateMachine.stateMachineArn);
    const documented = ['ExecutionsFailed', 'ExecutionsAborted', 'ExecutionsTimedOut', 'ExecutionThrottled'];
    const of = (namespace: string) => made.alarms.filter(({ Namespace }) => Namespace === namespace);
    const subject = ({ Dimensions }: AlarmProperties) =>
      Dimensions.map(({ Name, Value }) => `${Name} ${JSON.stringify(Value)}`);
    const failures = of('AWS/States').filter(({ MetricName }) => MetricName !== 'ExecutionsSucceeded');
    expect(failures.map(({ MetricName }) => MetricName)).toEqual(documented);
    for (const alarm of failures) expect(subject(alarm)).toEqual([`StateMachineArn ${stateMachine}`]);
    const lambdas = [retention?.steps.retainNode.lambda, steps.failRun.lambda];
    const named = lambdas.map((lambda) => [`FunctionName ${idOf(lambda?.functionName ?? '')}`]);
    expect(of('AWS/Lambda').map(subject)).toEqual(named);
    expect(of('AWS/SQS').map(({ MetricName }) => MetricName)).toEqual(['ApproximateNumberOfMessagesVisible']);
    for (const alarm of [...failures, ...of('AWS/Lambda'), ...of('AWS/SQS')]) {
      expect([alarm.Threshold, alarm.TreatMissingData]).toEqual([0, 'notBreaching']);
    }
  });

  test('are all told to one topic, encrypted and over TLS, that CloudWatch may speak to', () => {
    const topic = made.idOf(made.backup.watch.topics.all.topicArn);
    for (const { AlarmActions } of made.alarms)
      expect(AlarmActions.map((each) => JSON.stringify(each))).toEqual([topic]);
    made.template.allResourcesProperties('AWS::SNS::Topic', { KmsMasterKeyId: Match.anyValue() });
    made.template.hasResourceProperties('AWS::SNS::TopicPolicy', {
      PolicyDocument: Match.objectLike({
        Statement: Match.arrayWith([
          Match.objectLike({ Effect: 'Deny', Condition: { Bool: { 'aws:SecureTransport': 'false' } } }),
          Match.objectLike({ Action: 'sns:Publish', Principal: { Service: 'cloudwatch.amazonaws.com' } }),
        ]),
      }),
    });
    made.template.hasResourceProperties('AWS::SNS::Subscription', { Protocol: 'email', Endpoint: 'ops@example.com' });
    made.template.hasResourceProperties('AWS::SNS::Subscription', { Protocol: 'https' });
  });
});

describe('what wakes somebody', () => {
  const paging = (alarms: readonly AlarmProperties[]) =>
    alarms.filter(({ AlarmName }) => awsAlarms.some((name) => alarmIn(AlarmName) === name && ruleOf(name).pages));
  const pages = (template: Template) =>
    Object.values(template.findResources('AWS::CloudWatch::CompositeAlarm')).map(({ Properties }) => Properties);

  test('is one composite alarm over all of them', () => {
    const text = JSON.stringify(pages(made.template));
    const ids = Object.entries(made.template.findResources('AWS::CloudWatch::Alarm'));
    for (const [id, { Properties }] of ids) {
      const wakes = paging([Properties as AlarmProperties]).length > 0;
      expect([id, text.includes(`"${id}"`)]).toEqual([id, wakes]);
    }
    const acting = pages(made.template).filter(({ AlarmActions }) => AlarmActions !== undefined);
    expect(acting.map(({ AlarmName }) => AlarmName)).toEqual(['ledgerhold-acme_PAGE']);
    expect(JSON.stringify(acting[0]?.['AlarmActions'])).toBe(`[${made.idOf(made.backup.watch.topics.pages.topicArn)}]`);
  });

  test('stays within what a rule may hold, with the longest names there can be', () => {
    const longest = (prefix: string, n: number) => `${prefix}${n}`.padEnd(24, 'x');
    const names = Array.from({ length: 31 }, (_, n) => longest('c', n));
    const nodes = Object.fromEntries([0, 1].map((n) => [longest('n', n), names]));
    const { template } = watchedStack('x'.repeat(40), nodes);
    const alarm = `arn:aws:cloudwatch:ap-southeast-2:111111111111:alarm:ledgerhold-${'x'.repeat(40)}_${'x'.repeat(49)}_RPO_EXCEEDED`;
    for (const { AlarmRule } of pages(template)) {
      const rule = JSON.stringify(AlarmRule);
      const children = rule.split('Fn::GetAtt').length - 1;
      expect(children).toBeGreaterThan(0);
      expect(children).toBeLessThanOrEqual(ALARMS_A_RULE);
      expect(children * `ALARM("${alarm}") OR `.length).toBeLessThan(10_240);
    }
    expect(pages(template).length).toBeGreaterThan(2);
  });

  test('is each of them by itself where there are no composite alarms', () => {
    const context = { [NO_COMPOSITE]: true };
    const { template, alarms, idOf, backup } = watchedStack('acme', { 'validator-1': COMPONENTS }, context);
    template.resourceCountIs('AWS::CloudWatch::CompositeAlarm', 0);
    const page = idOf(backup.watch.topics.pages.topicArn);
    const waking = alarms.filter(({ AlarmActions }) => JSON.stringify(AlarmActions).includes(page));
    expect(waking.map(({ AlarmName }) => AlarmName)).toEqual(paging(alarms).map(({ AlarmName }) => AlarmName));
  });
});

const ofWatchdog = { Properties: { ScheduleExpression: 'rate(5 minutes)' } };

/** What it hands over: what only the deployment knows stands as a function of CloudFormation’s, in JSON. */
function inputOf(schedule: Record<string, never> | undefined): unknown {
  const { Input } = schedule?.['Target'] ?? ({} as Record<string, never>);
  const parts: readonly unknown[] = Input?.['Fn::Join']?.[1] ?? [Input];
  const texts = parts.map((part) =>
    typeof part === 'string' ? part : JSON.stringify(JSON.stringify(part)).slice(1, -1),
  );
  return JSON.parse(texts.join(''));
}

describe('the watchdog', () => {
  test('is called every 5 minutes with what its contract takes, and is over before the next turn', () => {
    const [{ Properties: schedule } = { Properties: {} }] = Object.values(
      made.template.findResources('AWS::Scheduler::Schedule', ofWatchdog),
    );
    const input = made.backup.watch.watchdog.step.input.parse(inputOf(schedule));
    expect(input.nodes.map((each) => each.node)).toEqual(['validator-1', 'validator-2']);
    made.template.hasResourceProperties('AWS::Lambda::Function', { Timeout: 280 });
  });

  test('is told the key of the identities’ secrets, as deployed, and may look at it', () => {
    const [schedule] = Object.values(made.template.findResources('AWS::Scheduler::Schedule', ofWatchdog));
    const key = made.idOf(made.backup.storage.identitiesKey.keyArn);
    expect(made.backup.watch.watchdog.step.input.parse(inputOf(schedule?.['Properties'])).keys).toEqual([key]);
    made.template.hasResourceProperties('AWS::IAM::Policy', {
      PolicyDocument: {
        Statement: Match.arrayWith([{ Effect: 'Allow', Action: 'kms:DescribeKey', Resource: JSON.parse(key) }]),
      },
      Roles: [{ Ref: Match.stringLikeRegexp('WatchdogRole') }],
    });
  });

  test('may read documents and descriptions, and neither write nor read an artifact or a secret', () => {
    const policies = made.template.findResources('AWS::IAM::Policy');
    const own = Object.entries(policies).filter(([id]) => id.includes('WatchdogRole'));
    const actions = own.flatMap(([, { Properties }]) =>
      (Properties.PolicyDocument.Statement as { Action: string | string[] }[]).flatMap(({ Action }) => Action),
    );
    expect([...new Set(actions)].toSorted()).toEqual([
      ...['kms:Decrypt', 'kms:DescribeKey', 'kms:GetPublicKey', 'logs:CreateLogStream', 'logs:PutLogEvents'],
      ...['rds:DescribeAccountAttributes', 'rds:DescribeDBClusterSnapshots', 'rds:DescribeDBSnapshots'],
      ...['s3:GetObject', 's3:ListBucket', 'secretsmanager:DescribeSecret'],
      ...['xray:PutTelemetryRecords', 'xray:PutTraceSegments'],
    ]);
    expect(JSON.stringify(own)).not.toContain('/runs/*');
  });
});

test('the dashboard finds nodes by their metrics, and links every runbook', () => {
  const [{ Properties: dashboard } = { Properties: {} }] = Object.values(
    made.template.findResources('AWS::CloudWatch::Dashboard'),
  );
  const body = JSON.stringify(dashboard['DashboardBody']);
  expect(dashboard['DashboardName']).toBe('ledgerhold-acme');
  expect(body).toContain('{Ledgerhold,network,node,component}');
  expect(body.replaceAll('\\', '')).toContain('MetricName="ConsensusStalls"');
  expect(awsAlarms.filter((name) => !body.includes(runbookOf(name)))).toEqual([]);
});
