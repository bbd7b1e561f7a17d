import { LedgerholdError } from '../core/errors.ts';
import { type AnyStep, acceptInput, acceptOutput, type EnvOf, type InputOf, type OutputOf } from '../core/step.ts';

/** A variable that the contract names is not in the Lambda's environment. */
export class EnvironmentIncomplete extends LedgerholdError {
  override readonly name = 'EnvironmentIncomplete';
  readonly kind = 'usage';
}

/**
 * The Lambda of a step: the environment is read once, at the cold start, and the ports are made of it; each call's input
 * and output are held to the contract. Errors pass as they are: Lambda reports their names, and retries go by them.
 */
export function serve<S extends AnyStep, Ports>(
  step: S,
  run: (input: InputOf<S>, ports: Ports) => Promise<OutputOf<S>>,
  portsOf: (env: EnvOf<S>) => Ports,
  environment: NodeJS.ProcessEnv = process.env,
): (event: unknown) => Promise<OutputOf<S>> {
  const ports = portsOf(environmentOf(step, environment));
  return async (event) => acceptOutput(step, await run(acceptInput(step, event), ports));
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
