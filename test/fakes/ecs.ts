import type { ChildProcess } from 'node:child_process';
import { constants } from 'node:os';
import { AnswerLost, type JsonOperation, ServiceFault } from '../support/aws-json.ts';

type Environment = Readonly<Record<string, string>>;
export type EcsFault = { readonly error: string } | { readonly failure: string } | 'lost';

interface RunTaskInput {
  readonly clientToken: string;
  readonly taskDefinition: string;
  readonly cluster: string;
  readonly overrides: {
    readonly containerOverrides: readonly [{ readonly environment: readonly { name: string; value: string }[] }];
  };
}

interface FakeTask {
  readonly arn: string;
  readonly input: RunTaskInput;
  readonly program: ChildProcess | undefined;
  said: Readonly<Record<string, unknown>>;
}

/** Behaves as `ecs.md` says. `launch` starts a container's program, where there is one. */
export function fakeEcs(launch: (environment: Environment) => ChildProcess | undefined = () => undefined) {
  const byToken = new Map<string, FakeTask>();
  const planned: { operation: string; fault: EcsFault }[] = [];
  const calls: string[] = [];
  const faultOf = (operation: string) => {
    calls.push(operation);
    const index = planned.findIndex((each) => each.operation === operation);
    const [plan] = index < 0 ? [] : planned.splice(index, 1);
    if (typeof plan?.fault === 'object' && 'error' in plan.fault) throw new ServiceFault(plan.fault.error);
    return plan?.fault;
  };
  const begin = (input: RunTaskInput): FakeTask => {
    const environment = Object.fromEntries(
      input.overrides.containerOverrides[0].environment.map(({ name, value }) => [name, value]),
    );
    const arn = `arn:aws:ecs:eu-central-1:111111111111:task/dumps/${String(byToken.size + 1).padStart(32, '0')}`;
    const task = { arn, input, program: launch(environment), said: {} };
    byToken.set(input.clientToken, task);
    return task;
  };
  const operations: Readonly<Record<string, JsonOperation>> = {
    RunTask: (input: RunTaskInput) => {
      const fault = faultOf('RunTask');
      if (typeof fault === 'object' && 'failure' in fault) return { tasks: [], failures: [{ reason: fault.failure }] };
      const known = byToken.get(input.clientToken);
      if (known !== undefined && JSON.stringify(known.input) !== JSON.stringify(input)) {
        throw new ServiceFault('ConflictException');
      }
      const task = known ?? begin(input);
      if (fault === 'lost') throw new AnswerLost();
      return { tasks: [{ taskArn: task.arn, lastStatus: 'PROVISIONING' }], failures: [] };
    },
    DescribeTasks: ({ tasks: asked }: { readonly tasks: readonly string[] }) => {
      faultOf('DescribeTasks');
      const known = [...byToken.values()].filter(({ arn }) => asked.includes(arn));
      const missing = asked.filter((arn) => !known.some((task) => task.arn === arn));
      return { tasks: known.map(described), failures: missing.map((arn) => ({ arn, reason: 'MISSING' })) };
    },
  };
  return {
    ...{ operations, calls, tasks: () => [...byToken.values()] },
    plan: (operation: string, fault: EcsFault, times = 1) => {
      for (let time = 0; time < times; time += 1) planned.push({ operation, fault });
    },
    say: (said: FakeTask['said']) => {
      for (const task of byToken.values()) task.said = said;
    },
  };
}

function described({ arn, program, said }: FakeTask) {
  const code = program === undefined ? null : exitCodeOf(program);
  const state =
    code === null
      ? { lastStatus: 'RUNNING', containers: [{ name: 'dump' }] }
      : {
          ...{ lastStatus: 'STOPPED', stopCode: 'EssentialContainerExited' },
          ...{ stoppedReason: 'Essential container in task exited', containers: [{ name: 'dump', exitCode: code }] },
        };
  return { taskArn: arn, ...state, ...said };
}

function exitCodeOf({ exitCode, signalCode }: ChildProcess): number | null {
  return signalCode === null ? exitCode : 128 + constants.signals[signalCode];
}
