import { Duration } from 'aws-cdk-lib';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { DefinitionBody, type IChainable, LogLevel, StateMachine, Succeed } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import type { OutputsOf } from '../../core/step.ts';
import { VaultUnavailable } from '../../core/vault.ts';
import { explainStateMachine } from '../explain-state-machine.ts';
import { isTrue, state } from '../state-ref.ts';
import type { CopyVault } from '../steps/copy-vault.ts';
import { whether } from './parts.ts';

const { copyVault } = state<OutputsOf<CopyVault['step']>>();

/** 1 + 2 + 4 = 7 s at most, over the SDK's own attempts; the next hour comes soon enough. */
const SHORTLY = { on: [VaultUnavailable], interval: Duration.seconds(1), backoffRate: 2, maxAttempts: 3 } as const;

/** It starts every hour, and what it does may be repeated and broken off: so it ends when the next begins. */
const LONGEST_RUN = Duration.hours(1);

/** Turn after turn, until the second vault has everything. It succeeds then and only then: an alarm counts on it. */
export class SecondVaultWorkflow extends Construct {
  readonly stateMachine: StateMachine;

  constructor(scope: Construct, id: string, step: CopyVault) {
    super(scope, id);
    const logs = new LogGroup(this, 'Logs', { retention: RetentionDays.THREE_MONTHS });
    this.stateMachine = new StateMachine(this, 'StateMachine', {
      definitionBody: DefinitionBody.fromChainable(flow(this, step)),
      timeout: LONGEST_RUN,
      tracingEnabled: true,
      logs: { destination: logs, level: LogLevel.ALL, includeExecutionData: false },
    });
    explainStateMachine(this.stateMachine, [step]);
  }
}

function flow(scope: Construct, step: CopyVault): IChainable {
  const copy = step.task('Copy what is lacking', { input: {}, retries: [SHORTLY] });
  const isItAll = whether(scope, 'Is that all?', isTrue(copyVault.done));
  return copy.next(isItAll(new Succeed(scope, 'Done'), copy));
}
