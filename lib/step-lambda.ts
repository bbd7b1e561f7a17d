import { join } from 'node:path';
import { Duration, Stage } from 'aws-cdk-lib';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Architecture, type CfnFunction, Code, Function as LambdaFunction, Runtime } from 'aws-cdk-lib/aws-lambda';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { JitterType, JsonPath, TaskInput, Timeout } from 'aws-cdk-lib/aws-stepfunctions';
import { LambdaInvoke } from 'aws-cdk-lib/aws-stepfunctions-tasks';
import { Construct } from 'constructs';
import type { VpcPlace } from '../config/nodes.ts';
import type { ErrorClass } from '../core/errors.ts';
import { type AnyStep, camel, type EnvOf, type InputOf } from '../core/step.ts';
import { bundleStep, bundleWithList } from './bundle-step.ts';
import { allow } from './grants.ts';
import { allowAttaching, standing } from './private-network.ts';
import { payload, type Ref } from './state-ref.ts';

export interface StepLambdaProps<S extends AnyStep> {
  readonly step: S;
  /** Each variable that the contract names, and no other. */
  readonly environment: EnvOf<S>;
  /** What it finds beside its code, as `LIST_FILE`; absent: nothing. */
  readonly list?: object;
  /** The rights that go with the environment; the right to log is there. */
  readonly grant?: (role: Role) => void;
  /** A fixed name of its role, for policies of other accounts. Default: one that CloudFormation makes. */
  readonly roleName?: string;
  /** The longest that one call may take; at most 15 minutes. */
  readonly timeout: Duration;
  /** The private network that its calls leave from; absent, they leave from Lambda's own. */
  readonly vpc?: VpcPlace | undefined;
  /** Default 512 MiB: a third of a CPU, on which the bundle loads in well under a second. */
  readonly memoryMiB?: number;
}

/** When to try again, and for how long. */
export interface RetryPolicy {
  readonly interval: Duration;
  readonly backoffRate: number;
  readonly maxAttempts: number;
  readonly maxDelay?: Duration;
  /** Exactly these pauses; by default they are spread, so that many who failed at once do not return at once. */
  readonly steady?: true;
}

/** A policy for classes of errors that can heal. */
export interface Retry extends RetryPolicy {
  readonly on: readonly ErrorClass[];
}

export interface TaskProps<S extends AnyStep, Retries extends readonly Retry[]> {
  readonly input: { readonly [Field in keyof InputOf<S>]-?: Ref<InputOf<S>[Field]> };
  /** Each error's class is in the contract. */
  readonly retries?: Retries & {
    readonly [I in keyof Retries]: { readonly on: Listed<Retries[I]['on'], S['errors'][number]> };
  };
}

/** `never` in place of each class that `Errors` does not name itself: a look-alike will not do, names decide. */
type Listed<On extends readonly ErrorClass[], Errors> = {
  readonly [I in keyof On]: Errors extends On[I] ? (On[I] extends Errors ? On[I] : never) : never;
};

/** What Lambda itself answers when it is throttled or fails. Not ClientExecutionTimeout: that call may still run. */
const SERVICE_ERRORS = [
  'Lambda.TooManyRequestsException',
  'Lambda.ServiceException',
  'Lambda.AWSLambdaException',
  'Lambda.SdkClientException',
];
/** At most 2 + 4 + 8 + 16 + 30 + 30 = 90 s with full jitter: longer than a deployment's or a burst's throttling. */
const SERVICE_RETRY = { interval: Duration.seconds(2), backoffRate: 2, maxAttempts: 6, maxDelay: Duration.seconds(30) };

/** The task waits this much longer than its Lambda may run, so that no second call starts beside a first. */
const MARGIN = Duration.minutes(1);

/** Context of an app that is made for its definitions or its template alone, and never deployed. */
export const UNBUNDLED = 'ledgerhold:unbundled';
const NO_CODE = Code.fromInline("throw new Error('this template was made without its code')");

/** The Lambda of one step, its environment beside its rights, and the tasks that call it. */
export class StepLambda<const S extends AnyStep> extends Construct {
  readonly step: S;
  readonly lambda: LambdaFunction;
  readonly #timeout: Duration;

  constructor(scope: Construct, id: string, props: StepLambdaProps<S>) {
    super(scope, id);
    this.step = props.step;
    this.#timeout = props.timeout;
    const named = props.roleName === undefined ? {} : { roleName: props.roleName };
    const role = new Role(this, 'Role', { ...named, assumedBy: new ServicePrincipal('lambda.amazonaws.com') });
    const logGroup = new LogGroup(this, 'Logs', { retention: RetentionDays.THREE_MONTHS });
    allow(role, {
      because: 'It writes its log.',
      actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
      resources: [logGroup.logGroupArn],
    });
    if (props.vpc !== undefined) allowAttaching(role);
    allow(role, {
      because: 'It hands its part of a run’s trace to X-Ray, which knows no narrower resource.',
      actions: ['xray:PutTraceSegments', 'xray:PutTelemetryRecords'],
      resources: ['*'],
    });
    this.lambda = new LambdaFunction(this, 'Function', {
      role,
      logGroup,
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      code: this.#code(props.list),
      handler: 'index.handler',
      environment: { ...props.environment },
      timeout: props.timeout,
      memorySize: props.memoryMiB ?? 512,
      ...(props.vpc && standing(this, props.vpc)),
    });
    // CDK's own property would also give the right to trace, and no reason for it.
    (this.lambda.node.defaultChild as CfnFunction).tracingConfig = { mode: 'Active' };
    props.grant?.(role);
  }

  #code(list: object | undefined): Code {
    if (this.node.tryGetContext(UNBUNDLED) === true) return NO_CODE;
    if (list === undefined) return Code.fromAsset(bundleStep(this.step.name));
    const folder = join(Stage.of(this)?.outdir ?? 'cdk.out', 'listed', this.node.addr);
    return Code.fromAsset(bundleWithList(this.step.name, list, folder));
  }

  /** A state that calls this step and keeps its output in the run's state under the step's own name. */
  task<const Retries extends readonly Retry[] = []>(id: string, props: TaskProps<S, Retries>): LambdaInvoke {
    const { input, retries = [] } = props;
    const task = new LambdaInvoke(this, id, {
      lambdaFunction: this.lambda,
      payload: TaskInput.fromObject(payload(input)),
      payloadResponseOnly: true,
      // CDK's own list would also repeat calls that may still be running.
      retryOnServiceExceptions: false,
      resultPath: JsonPath.stringAt(`$.${camel(this.step.name)}`),
      taskTimeout: Timeout.duration(this.#timeout.plus(MARGIN)),
    });
    const jitterStrategy = JitterType.FULL;
    task.addRetry({ errors: SERVICE_ERRORS, ...SERVICE_RETRY, maxDelay: SERVICE_RETRY.maxDelay, jitterStrategy });
    for (const { on, steady, ...policy } of retries) {
      task.addRetry({
        errors: on.map(({ name }) => name),
        ...policy,
        jitterStrategy: steady ? JitterType.NONE : jitterStrategy,
      });
    }
    return task;
  }
}
