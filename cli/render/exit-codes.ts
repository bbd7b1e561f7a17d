import { EXIT_CODES } from '../exit-codes.ts';

/** The end of every `--help`. */
export const exitCodeTable = (): string =>
  ['', 'Exit codes:', ...EXIT_CODES.map(({ code, means }) => `  ${String(code).padEnd(4)} ${means}`)].join('\n');
