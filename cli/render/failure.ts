import { LedgerholdError } from '../../core/errors.ts';
import { Interrupted } from '../exit-codes.ts';

/** A failure for a person: what, because of what, and what to do. */
export function failureText(error: unknown, exit: number): string[] {
  const { name, message, remedy } = described(error);
  // Of a bug, whoever mends it wants to see where.
  const what = exit === 70 && error instanceof Error ? error.stack : undefined;
  return [what ?? `${name}: ${message}`, ...causes(error).map((cause) => `  because: ${cause}`), `  ${remedy}`];
}

/** The same for programs. Lists that an error carries beside its message go with it, such as a config's problems. */
export function failureNouns(error: unknown): { code: string; error: object } {
  const { name, message, remedy } = described(error);
  const because = causes(error);
  const problems = error instanceof Error && 'problems' in error ? { problems: error.problems } : {};
  return {
    code: name.replace(/(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])/g, '_').toUpperCase(),
    error: { name, message, remedy, ...(because.length === 0 ? {} : { because }), ...problems },
  };
}

function described(error: unknown): { name: string; message: string; remedy: string } {
  if (error instanceof LedgerholdError) return error;
  if (error instanceof Interrupted) return error;
  const [name, message] = error instanceof Error ? [error.name, error.message] : ['Unexpected', String(error)];
  const remedy =
    'This is a bug of ledgerhold. Please report it with these lines, the command and `ledgerhold --version`.';
  return { name, message, remedy };
}

/** At most five: a longer chain of causes tells nobody more. */
function causes(error: unknown): string[] {
  const messages: string[] = [];
  let cause = error instanceof Error ? error.cause : undefined;
  while (cause instanceof Error && messages.length < 5) {
    messages.push(cause.message === '' ? cause.name : cause.message);
    cause = cause.cause;
  }
  return messages;
}
