import { type ErrorKind, LedgerholdError } from '../core/errors.ts';

/** The one table: what each exit code means. Printed by every `--help` and in `docs/cli.md`. */
export const EXIT_CODES = [
  { code: 0, means: 'done, or proved' },
  { code: 1, means: 'proved not so: damage, a violation, a check that failed' },
  { code: 2, means: 'usage or configuration, a wrong password included; nothing was changed' },
  { code: 3, means: 'unknown: it could be neither proved nor refuted' },
  { code: 4, means: 'someone else failed (network, AWS, node, database, disk): the same call may succeed later' },
  { code: 5, means: 'refused for safety: a hazard, a missing fence, a newer state exists' },
  { code: 70, means: 'a bug of ours: the unexpected, with what to report' },
  { code: 130, means: 'interrupted by Ctrl-C, ended cleanly' },
  { code: 143, means: 'terminated, ended cleanly' },
] as const;

export type ExitCode = (typeof EXIT_CODES)[number]['code'];

const BY_KIND: Readonly<Record<ErrorKind, ExitCode>> = {
  violation: 1,
  usage: 2,
  unknown: 3,
  external: 4,
  refused: 5,
};

/** The signals that end us cleanly, and what we then end with. */
export const SIGNAL_CODES = { SIGINT: 130, SIGTERM: 143 } as const;
export type EndingSignal = keyof typeof SIGNAL_CODES;

/** Why work was given up: the reason of the AbortSignal that every verb is handed. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
  readonly signal: EndingSignal;
  /** Whoever leaves something going says so here. */
  remedy = 'Everything that ran has ended, and nothing half done is visible. Run it again when you like.';
  constructor(signal: EndingSignal) {
    super(`interrupted by ${signal}`);
    this.signal = signal;
  }
}

/** What a failure ends with. Whatever is not an error of ours is a bug of ours. */
export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof Interrupted) return SIGNAL_CODES[error.signal];
  return error instanceof LedgerholdError ? BY_KIND[error.kind] : 70;
}

/** Several outcomes at once: a violation outranks doubt, doubt a failure elsewhere, and that success. */
export function worstOf(codes: readonly ExitCode[]): ExitCode {
  return ([70, 1, 2, 5, 3, 4] as const).find((code) => codes.includes(code)) ?? 0;
}
