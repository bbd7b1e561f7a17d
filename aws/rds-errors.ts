import { LedgerholdError } from '../core/errors.ts';
import { RdsUnavailable } from '../core/rds.ts';

/** Answers that may be another the next time, by the service's codes; so is every 5xx and whatever the network does. */
const PASSING = ['Throttling', 'ThrottlingException', 'RequestLimitExceeded', 'RequestThrottled', 'TooManyRequests'];

/**
 * The service's code of an error: bundles leave the SDK's classes out (`lib/bundler.ts`), and what they call
 * `DBSnapshotNotFound` has a `Fault` behind it elsewhere.
 */
export const rdsCode = (error: Error): string => error.name.replace(/Fault$/, '');

/** Makes a call to RDS about `what` and translates how it fails. */
export async function callRds<Output>(what: string, call: () => Promise<Output>): Promise<Output> {
  try {
    return await call();
  } catch (error) {
    throw translated(what, error);
  }
}

/** Resolves to undefined for the one answer that is expected; `code` with or without `Fault`. */
export async function unlessRds<Output>(
  what: string,
  code: string,
  call: () => Promise<Output>,
): Promise<Output | undefined> {
  try {
    return await call();
  } catch (error) {
    if (error instanceof Error && rdsCode(error) === code.replace(/Fault$/, '')) return undefined;
    throw translated(what, error);
  }
}

function translated(what: string, error: unknown): unknown {
  // What is ours already says why: credentials are got within the call.
  if (!(error instanceof Error) || error instanceof LedgerholdError) return error;
  const status = '$metadata' in error ? (error.$metadata as { httpStatusCode?: number }).httpStatusCode : undefined;
  const code = rdsCode(error);
  const why = status === undefined ? code : `${error.message} (${code}, HTTP ${status})`;
  if (status === undefined || status >= 500 || PASSING.includes(code))
    return new RdsUnavailable(what, why, { cause: error });
  return new RdsRefused(what, code, why, { cause: error });
}

/** RDS refused, and will again until something is changed. */
export class RdsRefused extends LedgerholdError {
  override readonly name = 'RdsRefused';
  readonly kind = 'usage';
  /** The service's own code. */
  readonly code: string;
  constructor(what: string, code: string, why: string, options?: ErrorOptions) {
    super(
      `RDS refused ${what}: ${why}`,
      'Check its name, the Region, and that this role may do it; the code is in the API reference of RDS.',
      options,
    );
    this.code = code;
  }
}
