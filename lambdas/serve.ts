import { LedgerholdError } from '../core/errors.ts';
import type { Journal } from '../core/ports.ts';
import { type AnyStep, acceptInput, acceptOutput, type EnvOf, type InputOf, type OutputOf } from '../core/step.ts';
import { aboutInput, aboutOutput } from './about.ts';
import { powertoolsJournal } from './journal.ts';

/** A variable that the contract names is not in the Lambda's environment. */
export class EnvironmentIncomplete extends LedgerholdError {
  override readonly name = 'EnvironmentIncomplete';
  readonly kind = 'usage';
}

/** What Lambda says of one call; absent where a test makes it. */
interface CallContext {
  readonly awsRequestId: string;
}

/**
 * The Lambda of a step: the environment is read once, at the cold start, and the ports are made of it; each call's input
 * and output are held to the contract. Errors pass as they are: Lambda reports their names, and retries go by them. Each
 * call's beginning and end are told to the log, by the names of what it is about and never with its data.
 */
export function serve<S extends AnyStep, Ports>(
  step: S,
  run: (input: InputOf<S>, ports: Ports) => Promise<OutputOf<S>>,
  portsOf: (env: EnvOf<S>, journal: Journal) => Ports,
  environment: NodeJS.ProcessEnv = process.env,
  journal: Journal = powertoolsJournal(),
): (event: unknown, context?: CallContext) => Promise<OutputOf<S>> {
  const ports = portsOf(environmentOf(step, environment), journal);
  return async (event, context) => {
    let about = { step: step.name, ...(context && { request: context.awsRequestId }) };
    try {
      const input = acceptInput(step, event);
      about = { ...about, ...aboutInput(input) };
      journal.note('started', about);
      const output = acceptOutput(step, await run(input, ports));
      journal.note('ended', { ...about, ...aboutOutput(output) });
      return output;
    } catch (error) {
      journal.failure('failed', about, error);
      throw error;
    }
  };
}

function environmentOf<S extends AnyStep>(step: S, environment: NodeJS.ProcessEnv): EnvOf<S> {
  const missing = step.env.filter((name) => environment[name] === undefined);
  if (missing.length === 0) {
    return Object.fromEntries(step.env.map((name) => [name, environment[name]])) as EnvOf<S>;
  }
  throw new EnvironmentIncomplete(
    `the environment of ${step.name} lacks ${missing.join(', ')}`,
    'Deploy the stack again; variables are set by lib/steps and never by hand.',
  );
}
