import { type ErrorKind, LedgerholdError } from './errors.ts';

/** Where a network is deployed. */
export interface Deployment {
  readonly account: string;
  readonly region: string;
}

/** One execution of a state machine. */
export interface Execution {
  readonly id: string;
  readonly status: 'running' | 'succeeded' | 'failed' | 'timed out' | 'aborted';
  readonly startedAt: Date;
  readonly input: unknown;
  /** What it ended with, if it succeeded. */
  readonly output: unknown;
  /** What it ended with, if it failed; `cause` may be the JSON of a Lambda's error. */
  readonly error?: { readonly name: string; readonly cause: string };
}

/** A state that an execution has entered. */
export interface Entered {
  /** Number of the event in the execution's history, ascending. */
  readonly event: number;
  readonly state: string;
  readonly at: Date;
  /** Whose capture it is part of; undefined outside of captures. */
  readonly component: string | undefined;
}

/** Runs of one state machine. Rejects with an error of this file. */
export interface Executions {
  /**
   * Resolves to the execution's id. The same name with the same input while it runs is the same execution; of one that
   * has ended it is taken, and rejects with `ExecutionNameTaken`.
   */
  start(name: string, input: object): Promise<string>;
  /** Undefined if there is none, or it ended longer than 90 days ago. */
  describe(id: string): Promise<Execution | undefined>;
  /** Ids of those that run now. */
  running(): Promise<readonly string[]>;
  /** Goes on where it ended, without running again what was done. */
  redrive(id: string): Promise<void>;
  /** Oldest first: the states entered after the event `after`, at most the newest `limit`. */
  entered(id: string, after: number, limit: number): Promise<readonly Entered[]>;
}

/** `arn:aws:states:…`; other partitions than `aws` are told by their Regions. */
export function stateMachineArn({ account, region }: Deployment, name: string): string {
  return `arn:${partitionOf(region)}:states:${region}:${account}:stateMachine:${name}`;
}

/** Of an execution of such a machine. */
export const executionArn = (deployment: Deployment, machine: string, name: string): string =>
  `${stateMachineArn(deployment, machine).replace(':stateMachine:', ':execution:')}:${name}`;

/** Whether a lease's holder is an execution, and not a process of some machine. */
export const isExecution = (holder: string): boolean => /^arn:[\w-]+:states:[\w-]+:\d{12}:execution:/.test(holder);

/**
 * At most 80 characters and no colon. A name is taken for 90 days, and a slot may be run again after a failure: so the
 * moment of the start is in it, to the millisecond: a run may end within the second in which the next one starts.
 */
export function executionName(node: string, slot: string, now: Date): string {
  const plain = (text: string) => text.replaceAll(/[^\w.-]/g, '');
  return `${node}-${plain(slot).slice(0, 40)}-${now.getTime().toString(36)}`;
}

const partitionOf = (region: string): string =>
  region.startsWith('cn-') ? 'aws-cn' : region.startsWith('us-gov-') ? 'aws-us-gov' : 'aws';

/** The network is not deployed there, or this identity may not see it. */
export class NotDeployed extends LedgerholdError {
  override readonly name = 'NotDeployed';
  readonly kind = 'usage';
}

export class StepFunctionsRefused extends LedgerholdError {
  override readonly name = 'StepFunctionsRefused';
  readonly kind = 'usage';
}

/** Another execution has had that name within 90 days. */
export class ExecutionNameTaken extends LedgerholdError {
  override readonly name = 'ExecutionNameTaken';
  readonly kind = 'usage';
}

export class StepFunctionsUnavailable extends LedgerholdError {
  override readonly name = 'StepFunctionsUnavailable';
  readonly kind = 'external';
}

/** Ended from outside, or by its own time limit: there was no error that it could have told. */
export class ExecutionAborted extends LedgerholdError {
  override readonly name = 'ExecutionAborted';
  readonly kind = 'external';
}

/** What a run on AWS ended with: it has the name, and so the exit code, of the error that ended it there. */
export class FailedOnAws extends LedgerholdError {
  override readonly name: string;
  readonly kind: ErrorKind;
  constructor(name: string, kind: ErrorKind, message: string, remedy: string) {
    super(message, remedy);
    this.name = name;
    this.kind = kind;
  }
}
