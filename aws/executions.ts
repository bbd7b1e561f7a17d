import {
  DescribeExecutionCommand,
  type DescribeExecutionOutput,
  GetExecutionHistoryCommand,
  type HistoryEvent,
  ListExecutionsCommand,
  RedriveExecutionCommand,
  SFNClient,
  type SFNClientConfig,
  StartExecutionCommand,
} from '@aws-sdk/client-sfn';
import {
  type Deployment,
  type Entered,
  type Execution,
  ExecutionNameTaken,
  type Executions,
  NotDeployed,
  StepFunctionsRefused,
  StepFunctionsUnavailable,
  stateMachineArn,
} from '../core/executions.ts';

/** Silence of 30 s is a failure; an answer of Step Functions takes well under a second. */
const LIMITS = { requestHandler: { connectionTimeout: 5_000, socketTimeout: 30_000 }, maxAttempts: 5 } as const;

/**
 * Of a step, which is over in minutes and may stand where nothing answers: 15 s in all, and 6 s where nothing takes the
 * connection. Attempts times both times, since a connection may be late and the answer not come.
 */
export const STEP_LIMITS = {
  requestHandler: { connectionTimeout: 2_000, socketTimeout: 3_000 },
  maxAttempts: 3,
} as const;

/** Events on a page of a history: a state leaves about three. */
const PAGE = 100;

export const openExecutions = (deployment: Deployment, machine: string, settings: SFNClientConfig = {}): Executions =>
  executions(
    new SFNClient({ ...LIMITS, region: deployment.region, ...settings }),
    stateMachineArn(deployment, machine),
  );

/** The executions of a state machine, for a step: it finds its Region itself, and gives up soon. */
export const executionsOfMachine = (machine: string, settings: SFNClientConfig = {}): Executions =>
  executions(new SFNClient({ ...STEP_LIMITS, ...settings }), machine);

/** The executions of one state machine. */
function executions(client: SFNClient, machine: string): Executions {
  const call = <Output>(send: () => Promise<Output>) => translated(machine, send);
  return {
    start: async (name, input) => {
      const command = new StartExecutionCommand({ stateMachineArn: machine, name, input: JSON.stringify(input) });
      const { executionArn } = await call(() => client.send(command));
      return String(executionArn);
    },
    describe: async (executionArn) => {
      const command = new DescribeExecutionCommand({ executionArn });
      return asExecution(await call(() => orAbsent(() => client.send(command))));
    },
    running: () => call(() => running(client, machine)),
    redrive: async (executionArn) => {
      await call(() => client.send(new RedriveExecutionCommand({ executionArn })));
    },
    entered: (executionArn, after, limit) => call(() => entered(client, executionArn, after, limit)),
  };
}

async function running(client: SFNClient, stateMachine: string): Promise<string[]> {
  const ids: string[] = [];
  let nextToken: string | undefined;
  do {
    const input = { stateMachineArn: stateMachine, statusFilter: 'RUNNING', nextToken } as const;
    const page = await client.send(new ListExecutionsCommand(input));
    ids.push(...(page.executions ?? []).map(({ executionArn }) => String(executionArn)));
    nextToken = page.nextToken;
  } while (nextToken !== undefined);
  return ids;
}

/** From the newest event back, since a run of hours has thousands of which the last few are news. */
async function entered(client: SFNClient, executionArn: string, after: number, limit: number): Promise<Entered[]> {
  const states: Entered[] = [];
  let nextToken: string | undefined;
  do {
    const input = { executionArn, reverseOrder: true, maxResults: PAGE, nextToken };
    const page = await client.send(new GetExecutionHistoryCommand(input));
    const events = (page.events ?? []).filter(({ id = 0 }) => id > after);
    states.push(...events.flatMap(asEntered));
    nextToken = events.length < PAGE ? undefined : page.nextToken;
  } while (nextToken !== undefined && states.length < limit);
  return states.slice(0, limit).reverse();
}

function asEntered({ id = 0, timestamp, stateEnteredEventDetails: details }: HistoryEvent): Entered[] {
  if (details?.name === undefined || timestamp === undefined) return [];
  return [{ event: id, state: details.name, at: timestamp, component: componentIn(details.input) }];
}

/** The state that a capture's states begin with has the ticket in it. */
function componentIn(input = 'null'): string | undefined {
  const state = parsed(input) as { readonly ticket?: { readonly component?: unknown } } | null | undefined;
  const component = state?.ticket?.component;
  return typeof component === 'string' ? component : undefined;
}

const STATUS: Readonly<Record<string, Execution['status']>> = {
  RUNNING: 'running',
  PENDING_REDRIVE: 'running',
  SUCCEEDED: 'succeeded',
  FAILED: 'failed',
  TIMED_OUT: 'timed out',
  ABORTED: 'aborted',
};

function asExecution(answer: DescribeExecutionOutput | undefined): Execution | undefined {
  if (answer === undefined) return undefined;
  const { executionArn = '', status = '', startDate, input, output, error, cause = '' } = answer;
  const known = STATUS[status];
  if (known === undefined || startDate === undefined) {
    throw new StepFunctionsUnavailable(
      `Step Functions says of ${executionArn} that it is "${status}", which this version does not know`,
      'Look at the execution in the console, and update ledgerhold.',
    );
  }
  return {
    ...{ id: executionArn, status: known, startedAt: startDate, input: parsed(input), output: parsed(output) },
    ...(error === undefined ? {} : { error: { name: error, cause } }),
  };
}

function parsed(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    // An input or output that is no JSON is none of ours.
    return undefined;
  }
}

async function orAbsent<Output>(send: () => Promise<Output>): Promise<Output | undefined> {
  try {
    return await send();
  } catch (error) {
    if (error instanceof Error && error.name === 'ExecutionDoesNotExist') return undefined;
    throw error;
  }
}

/** Answers that the same call gets again. Names, since a bundle has no classes for them. */
const LASTING = [
  ...['AccessDeniedException', 'ExecutionNotRedrivable', 'InvalidArn', 'InvalidName'],
  ...['InvalidExecutionInput', 'ExecutionDoesNotExist', 'StateMachineDeleting', 'ValidationException'],
  ...['CredentialsProviderError', 'UnrecognizedClientException', 'InvalidSignatureException', 'ExpiredTokenException'],
];

async function translated<Output>(machine: string, send: () => Promise<Output>): Promise<Output> {
  try {
    return await send();
  } catch (error) {
    if (!(error instanceof Error) || error instanceof StepFunctionsUnavailable) throw error;
    if (error.name === 'StateMachineDoesNotExist') {
      const remedy = 'Deploy it with `cdk deploy`, or correct `aws.account` and `aws.region`.';
      throw new NotDeployed(`there is no state machine ${machine}`, remedy, { cause: error });
    }
    if (error.name === 'ExecutionAlreadyExists') {
      const message = `an execution of ${machine} has had that name already`;
      throw new ExecutionNameTaken(message, 'Start it by another name.', { cause: error });
    }
    if (LASTING.includes(error.name)) {
      const remedy =
        'Check the credentials and that they may use this state machine; docs/runs-on-aws.md lists the rights.';
      throw new StepFunctionsRefused(`Step Functions refuses ${machine}: ${error.name}`, remedy, { cause: error });
    }
    const message = `Step Functions gave no answer for ${machine}: ${error.name}`;
    throw new StepFunctionsUnavailable(message, 'Try again; a run that was started goes on.', { cause: error });
  }
}
