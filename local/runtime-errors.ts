import { LedgerholdError } from '../core/errors.ts';

/** A definition and the steps given for it do not fit. */
export class StepsDoNotFit extends LedgerholdError {
  override readonly name = 'StepsDoNotFit';
  readonly kind = 'refused';
}

/** A state, an input or an output passes 256 KiB, where Step Functions would end the run. No catcher sees it. */
export class StateTooLarge extends LedgerholdError {
  override readonly name = 'StateTooLarge';
  readonly kind = 'refused';
}

/** A step took longer than the definition allows. Its handler was told so, and had ended when this was thrown. */
export class StepTimedOut extends LedgerholdError {
  override readonly name = 'StepTimedOut';
  readonly kind = 'external';
}

/** A run took longer than the definition allows. */
export class RunTimedOut extends LedgerholdError {
  override readonly name = 'RunTimedOut';
  readonly kind = 'external';
}

/** Not a failure of its own: something else had failed, and this was still at work. */
export class GivenUp extends LedgerholdError {
  override readonly name = 'GivenUp';
  readonly kind = 'external';
}

export const givenUp = (cause: unknown): GivenUp =>
  new GivenUp('given up, since the run had failed elsewhere', 'See the error that the run ended with.', { cause });

/** What the engine is given for an error: the name its retries look for, and the cause in the form that Lambda has. */
export class TaskError extends Error {
  readonly original: unknown;
  /** Read by the engine. */
  readonly isCatchable: boolean;

  constructor(original: unknown) {
    const { name, message } = original instanceof Error ? original : new Error(String(original));
    super(JSON.stringify({ errorType: name, errorMessage: message }));
    this.name = original instanceof StepTimedOut ? 'States.Timeout' : name;
    this.original = original;
    this.isCatchable = !(original instanceof StateTooLarge);
  }
}
