import { execFile } from 'node:child_process';
import { chmod, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { type AlarmProperties, type Datapoint, embeddedMetrics, stateOf } from './alarm-state.ts';
import { PROGRAM } from './cli-world.ts';
import { COMMON, type DeployedNetwork, STACK } from './deployed-network.ts';
import { BIN, programsOf } from './emulator.ts';
import type { Ministack } from './ministack.ts';
import type { Reader } from './runbook.ts';

const run = promisify(execFile);

/** What a schedule starts, as Lambda or Step Functions gets it. */
export interface Scheduled {
  readonly Name: string;
  readonly GroupName: string;
  readonly State: string;
  readonly ScheduleExpression: string;
  readonly Target: { readonly Arn: string; readonly Input: string };
}

/** A deployed network, as its watchdog sees it and as its operator does. */
export interface WatchedNetwork {
  /** One call of the deployed watchdog with what its schedule hands over: the alarms that it raises if it goes on so. */
  raised(): Promise<string[]>;
  /** All messages in the log of a step, by a part of its name, such as `RetainNode`. */
  saidBy(step: string): Promise<string[]>;
  /** `aws …`, with the answer as JSON. */
  aws<T>(...args: readonly string[]): Promise<T>;
  schedules(): Promise<Scheduled[]>;
  /** Pauses the schedule, or lets it go on, as a person does in the console. */
  setSchedule(schedule: Scheduled, State: 'ENABLED' | 'DISABLED'): Promise<void>;
  /** What the watchdog is told of the network, such as the ARNs of its keys. */
  readonly watched: Readonly<Record<string, string>>;
  readonly reader: Pick<Reader, 'env' | 'cwd'>;
}

/** `nodes`: as in the config that was deployed; without them the operator has none to ask about. */
export async function watchedNetwork(network: DeployedNetwork, nodes = ''): Promise<WatchedNetwork> {
  const reader = await operator(network, nodes);
  const aws = aboutAws(network.ministack);
  const schedules = () => schedulesOf(aws);
  const alarms = await alarmsOf(network);
  const watchdog = (await schedules()).find(({ ScheduleExpression }) => ScheduleExpression === 'rate(5 minutes)');
  if (watchdog === undefined) throw new Error('nothing is scheduled every five minutes');
  const { LoggingConfig, Environment } = await aws<FunctionConfiguration>(
    ...['lambda', 'get-function-configuration', '--function-name', watchdog.Target.Arn],
  );
  return {
    ...{ reader, aws, schedules, watched: Environment.Variables },
    raised: async () => {
      const since = Date.now();
      await invoke(network.ministack, watchdog.Target);
      return raisedBy(alarms, embeddedMetrics(await linesSince(aws, LoggingConfig.LogGroup, since)));
    },
    saidBy: async (step) => {
      const { logGroups } = await aws<{ logGroups: { logGroupName: string }[] }>(
        ...['logs', 'describe-log-groups', '--log-group-name-pattern', step],
      );
      const lines = await linesSince(aws, logGroups[0]?.logGroupName ?? step, 0);
      return lines.map((line) => (JSON.parse(line) as { message: string }).message);
    },
    setSchedule: (schedule, State) => changeSchedule(aws, schedule, { State }),
  };
}

export async function schedulesOf(aws: WatchedNetwork['aws']): Promise<Scheduled[]> {
  const { Schedules } = await aws<{ Schedules: Scheduled[] }>('scheduler', 'list-schedules');
  return Promise.all(
    Schedules.map(({ Name, GroupName }) =>
      aws<Scheduled>('scheduler', 'get-schedule', '--name', Name, '--group-name', GroupName),
    ),
  );
}

/** All that is not in `change` stays as it is. */
export async function changeSchedule(
  aws: WatchedNetwork['aws'],
  schedule: Scheduled,
  change: Partial<Pick<Scheduled, 'State' | 'ScheduleExpression'>>,
): Promise<void> {
  const given = ['FlexibleTimeWindow', 'GroupName', 'Name', 'ScheduleExpression', 'Target', 'State'];
  const kept = Object.entries(schedule).filter(([name]) => given.includes(name));
  const input = JSON.stringify({ ...Object.fromEntries(kept), ...change });
  await aws('scheduler', 'update-schedule', '--cli-input-json', input);
}

/** `aws …` where the programs are that the suite brings. */
export const aboutAws =
  ({ env, home }: Ministack): WatchedNetwork['aws'] =>
  async (...args) => {
    const environment = { ...env, HOME: home, AWS_EC2_METADATA_DISABLED: 'true' };
    const { stdout } = await run(join(programsOf('aws-cli') ?? '', 'aws'), [...args, '--output', 'json'], {
      env: environment,
    });
    return stdout.trim() === '' ? undefined : JSON.parse(stdout);
  };

/** Who was told to write the stack's outputs into the config (docs/deploy.md), with the commands that runbooks name. */
async function operator({ ministack, app }: DeployedNetwork, nodes: string): Promise<WatchedNetwork['reader']> {
  const [cwd, bin] = [join(ministack.home, 'operator'), join(ministack.home, 'operator/bin')];
  await mkdir(bin, { recursive: true });
  const [bucket, prefix] = (await app.output('Vault')).replace('s3://', '').split('/');
  const config = COMMON.replace('{ folder: ./vault }', `{ s3: { bucket: ${bucket}, prefix: ${prefix} } }`).replace(
    '{ keyFile: ./signing-key.pem }',
    `{ kms: '${await app.output('SigningKey')}' }`,
  );
  await writeFile(join(cwd, 'ledgerhold.yaml'), `${config}nodes:\n${nodes}`);
  await writeFile(join(bin, 'ledgerhold'), `#!/bin/sh\nexec '${process.execPath}' '${PROGRAM}' "$@"\n`);
  await chmod(join(bin, 'ledgerhold'), 0o755);
  await symlink(join(programsOf('aws-cli') ?? '', 'aws'), join(bin, 'aws'));
  const PATH = [bin, BIN, process.env['PATH']].join(delimiter);
  return { cwd, env: { ...ministack.env, PATH, HOME: ministack.home, AWS_EC2_METADATA_DISABLED: 'true' } };
}

async function invoke({ connection }: Ministack, { Arn, Input }: Scheduled['Target']): Promise<void> {
  const lambda = new LambdaClient(connection);
  try {
    const answer = await lambda.send(new InvokeCommand({ FunctionName: Arn, Payload: Buffer.from(Input) }));
    if (answer.FunctionError !== undefined) throw new Error(Buffer.from(answer.Payload ?? '').toString());
  } finally {
    lambda.destroy();
  }
}

interface FunctionConfiguration {
  readonly LoggingConfig: { readonly LogGroup: string };
  readonly Environment: { readonly Variables: Readonly<Record<string, string>> };
}

/** Lines of JSON. */
async function linesSince(aws: WatchedNetwork['aws'], group: string, since: number): Promise<string[]> {
  const { events } = await aws<{ events: { message: string }[] }>(
    ...['logs', 'filter-log-events', '--log-group-name', group, '--start-time', String(since)],
  );
  return events.flatMap(({ message }) => message.split('\n')).filter((line) => line.startsWith('{'));
}

/** Those of the template that is deployed whose metrics are ours. */
async function alarmsOf({ ministack }: DeployedNetwork): Promise<AlarmProperties[]> {
  const template = await readFile(join(ministack.home, 'cdk.out', `${STACK}.template.json`), 'utf8');
  const { Resources } = JSON.parse(template) as { Resources: Record<string, { Type: string; Properties: unknown }> };
  return Object.values(Resources)
    .filter(({ Type }) => Type === 'AWS::CloudWatch::Alarm')
    .map(({ Properties }) => Properties as AlarmProperties)
    .filter(({ Namespace }) => Namespace === 'Ledgerhold');
}

const raisedBy = (alarms: readonly AlarmProperties[], metrics: readonly Datapoint[]): string[] =>
  alarms
    .filter((alarm) => stateOf(alarm, Array(alarm.EvaluationPeriods).fill(metrics)) === 'ALARM')
    .map(({ AlarmName }) => AlarmName.replace('ledgerhold-acme_', ''))
    .toSorted();
