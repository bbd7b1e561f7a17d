import { Logger } from '@aws-lambda-powertools/logger';
import { LedgerholdError } from '../core/errors.ts';
import type { Journal } from '../core/ports.ts';

/** The log of a Lambda, a line of JSON for each thing that happens: CloudWatch Logs Insights finds it by its fields. */
export function powertoolsJournal(): Journal {
  // As each line says, unless the Lambda's environment chooses otherwise.
  const logger = new Logger({ serviceName: 'ledgerhold', logLevel: 'INFO' });
  return {
    note: (what, about) => logger.info(what, about),
    failure: (what, about, error) => logger.error(what, { ...about, failure: told(error) }),
  };
}

/** Of an error that is not ours neither message nor stack, which begins with it: a parser's would quote the document. */
function told(error: unknown): Readonly<Record<string, string>> {
  if (error instanceof LedgerholdError) return { name: error.name, message: error.message, remedy: error.remedy };
  return { name: error instanceof Error ? error.name : typeof error };
}
