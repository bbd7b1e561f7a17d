import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';

export type SfnFault = { readonly status: number; readonly type: string } | 'drop' | 'drop after';
type Status = 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'TIMED_OUT' | 'ABORTED' | 'SOMETHING_NEW';
type Body = Readonly<Record<string, unknown>>;

/** One execution, as the test tells its story. */
export interface FakeExecution {
  readonly arn: string;
  readonly name: string;
  readonly input: string;
  status: Status;
  /** The state with this name has been entered with this input. */
  enter(state: string, input?: object): void;
  succeed(output: object): void;
  fail(error: string, cause: string): void;
  end(status: Status): void;
}

export interface FakeStepFunctions extends AsyncDisposable {
  readonly endpoint: string;
  readonly machine: string;
  readonly executions: Map<string, FakeExecution>;
  /** Names of the calls received, in order. */
  readonly log: string[];
  onStart: (execution: FakeExecution) => unknown;
  onRedrive: (execution: FakeExecution) => unknown;
  plan(operation: string, fault: SfnFault, times?: number): void;
}

class Refused extends Error {}

interface Stored extends FakeExecution {
  readonly start: number;
  readonly events: Body[];
  ending: Body;
}

/** Behaves as `step-functions.md` says. The ARNs of the state machines there are; what is listed is of the first. */
export async function fakeStepFunctions(machine: string, ...others: readonly string[]): Promise<FakeStepFunctions> {
  const stored = new Map<string, Stored>();
  const planned: { operation: string; fault: SfnFault }[] = [];
  const server = createServer((request, response) => void serve(request, response));
  const serve = async (request: IncomingMessage, response: ServerResponse) => {
    const operation = String(request.headers['x-amz-target']).split('.')[1] ?? '';
    const body = JSON.parse(await textOf(request)) as Body;
    fake.log.push(operation);
    const at = planned.findIndex((plan) => plan.operation === operation);
    const fault = at < 0 ? undefined : planned.splice(at, 1)[0]?.fault;
    if (fault === 'drop') return void response.destroy();
    if (typeof fault === 'object') return write(response, fault.status, { __type: fault.type, message: fault.type });
    const [status, answer] = answerTo(operation, body, { machine, machines: [machine, ...others], stored, fake });
    return fault === 'drop after' ? void response.destroy() : write(response, status, answer);
  };
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const fake: FakeStepFunctions = {
    endpoint: `http://127.0.0.1:${(server.address() as { port: number }).port}`,
    ...{ machine, executions: stored, log: [], onStart: () => {}, onRedrive: () => {} },
    plan: (operation, fault, times = 1) => {
      for (let n = 0; n < times; n++) planned.push({ operation, fault });
    },
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  return fake;
}

interface World {
  readonly machine: string;
  readonly machines: readonly string[];
  readonly stored: Map<string, Stored>;
  readonly fake: FakeStepFunctions;
}

function answerTo(operation: string, body: Body, world: World): [number, Body] {
  try {
    const known = OPERATIONS[operation];
    if (known === undefined) throw new Refused('UnknownOperationException');
    return [200, known(body, world)];
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    return [400, { __type: error.message, message: `${error.message} of ${operation}` }];
  }
}

const found = ({ executionArn }: Body, { stored }: World): Stored => {
  const execution = stored.get(String(executionArn));
  if (execution === undefined) throw new Refused('ExecutionDoesNotExist');
  return execution;
};

const OPERATIONS: Readonly<Record<string, (body: Body, world: World) => Body>> = {
  StartExecution: ({ stateMachineArn, name, input }, { machines, stored, fake }) => {
    const machine = machines.find((each) => each === stateMachineArn);
    if (machine === undefined) throw new Refused('StateMachineDoesNotExist');
    if (!/^[\w.-]{1,80}$/.test(String(name))) throw new Refused('InvalidName');
    const arn = `${machine.replace(':stateMachine:', ':execution:')}:${String(name)}`;
    const taken = stored.get(arn);
    if (taken !== undefined && (taken.status !== 'RUNNING' || taken.input !== input))
      throw new Refused('ExecutionAlreadyExists');
    const execution = taken ?? newExecution(arn, String(name), String(input));
    stored.set(arn, execution);
    if (taken === undefined) setImmediate(() => void fake.onStart(execution));
    return { executionArn: arn, startDate: execution.start };
  },
  DescribeExecution: (body, world) => {
    const { arn, status, input, start, ending } = found(body, world);
    return { executionArn: arn, stateMachineArn: world.machine, status, startDate: start, input, ...ending };
  },
  ListExecutions: ({ statusFilter, nextToken }, { stored, machine }) => {
    const all = [...stored.values()].filter(({ status }) => status === statusFilter).reverse();
    const from = Number(nextToken ?? 0);
    const page = all.slice(from, from + 2);
    const executions = page.map(({ arn, name, status, start }) => ({
      ...{ executionArn: arn, stateMachineArn: machine, name, status, startDate: start },
    }));
    return { executions, ...(from + 2 < all.length ? { nextToken: String(from + 2) } : {}) };
  },
  GetExecutionHistory: (body, world) => {
    const { events } = found(body, world);
    const { reverseOrder, maxResults, nextToken } = body;
    const all = reverseOrder === true ? events.toReversed() : events;
    const [from, size] = [Number(nextToken ?? 0), Number(maxResults ?? 100)];
    const more = from + size < all.length ? { nextToken: String(from + size) } : {};
    return { events: all.slice(from, from + size), ...more };
  },
  RedriveExecution: (body, world) => {
    const execution = found(body, world);
    if (!['FAILED', 'TIMED_OUT', 'ABORTED'].includes(execution.status)) throw new Refused('ExecutionNotRedrivable');
    Object.assign(execution, { status: 'RUNNING', ending: {} });
    setImmediate(() => void world.fake.onRedrive(execution));
    return { redriveDate: execution.start };
  },
};

function newExecution(arn: string, name: string, input: string): Stored {
  const start = Math.floor(Date.now() / 1000);
  const events: Body[] = [];
  const add = (type: string, details: Body = {}) =>
    events.push({ id: events.length + 1, previousEventId: events.length, timestamp: start, type, ...details });
  add('ExecutionStarted');
  const execution: Stored = {
    ...{ arn, name, input, start, events, status: 'RUNNING', ending: {} },
    enter: (state, given = {}) =>
      add('TaskStateEntered', { stateEnteredEventDetails: { name: state, input: JSON.stringify(given) } }),
    succeed: (output) =>
      Object.assign(execution, { status: 'SUCCEEDED', ending: { output: JSON.stringify(output), stopDate: start } }),
    fail: (error, cause) => Object.assign(execution, { status: 'FAILED', ending: { error, cause, stopDate: start } }),
    end: (status) => Object.assign(execution, { status, ending: { stopDate: start } }),
  };
  return execution;
}

async function textOf(request: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece);
  return Buffer.concat(pieces).toString();
}

function write(response: ServerResponse, status: number, body: Body): void {
  response.writeHead(status, { 'content-type': 'application/x-amz-json-1.0' }).end(JSON.stringify(body));
}
