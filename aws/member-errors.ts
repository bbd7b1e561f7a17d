import { DeliveryRoleUnusable, MemberRefused, MemberUnavailable } from '../core/delivery.ts';
import type { MemberFault } from '../core/members.ts';
import type { MemberBucket } from './member-bucket.ts';
import { accessDenied, anotherRegion, keyUnusable, noSuchBucket, otherwiseRefused } from './member-faults.ts';
import { isCalled, isRefusal, statusOf } from './s3-errors.ts';

/** Six tries, with 0.4, 0.8, 1.6, 3.2 and 6.4 s between them at most: 12.4 s in all, and half of it on average. */
const TRIES = 6;
const FIRST_WAIT_MS = 400;

/**
 * Makes a call, again while what it ends with may pass. Waits with full jitter: many that were refused at once do not
 * come back at once. Rejects with S3's own last error, or the reason of `signal`.
 */
export async function persist<T>(
  { pace }: Pick<MemberBucket, 'pace'>,
  signal: AbortSignal | undefined,
  call: (round: number) => Promise<T>,
): Promise<T> {
  for (let round = 1; ; round += 1) {
    signal?.throwIfAborted();
    try {
      return await call(round);
    } catch (error) {
      signal?.throwIfAborted();
      if (round === TRIES || !mayPass(error)) throw error;
    }
    await pace.wait(pace.random() * FIRST_WAIT_MS * 2 ** (round - 1), signal);
  }
}

const DAMAGED_ON_THE_WAY = ['BadDigest', 'XAmzContentSHA256Mismatch', 'IncompleteBody'];
const BUSY = ['RequestTimeout', 'KMS.ThrottlingException', 'TemporaryRedirect'];

/** No whole answer, a race, or a server that has trouble. */
function mayPass(error: unknown): boolean {
  if (!isRefusal(error)) return false;
  if (isOurs(error)) return false;
  const status = statusOf(error);
  if (status === undefined || status >= 500) return true;
  return [408, 409, 429].includes(status) || isCalled(error, ...DAMAGED_ON_THE_WAY, ...BUSY);
}

const OURS = [
  ...['InvalidAccessKeyId', 'SignatureDoesNotMatch', 'ExpiredToken', 'InvalidToken', 'TokenRefreshRequired'],
  ...['CredentialsProviderError', 'RequestTimeTooSkewed'],
];

/** Of the credentials or the clock of this process. */
const isOurs = (error: unknown): boolean => isCalled(error, ...OURS);

/** The error to throw for whatever a call to a member's bucket rejected with; what is not S3's stays as it is. */
export function memberError(to: MemberBucket, error: unknown): unknown {
  if (!isRefusal(error)) return error;
  const said = saidBy(error);
  if (isOurs(error))
    return new DeliveryRoleUnusable(`${to.url} does not know us: ${said}`, MEND_OURS, { cause: error });
  // An upload that is gone was completed by a call whose answer was lost, or taken back: the next delivery will see.
  if (mayPass(error) || isCalled(error, 'NoSuchUpload')) {
    return new MemberUnavailable(`${to.url} is not to be had: ${said}`, WAIT, { cause: error });
  }
  return new MemberRefused(faultOf(to, error, said), { cause: error });
}

const MEND_OURS = 'Look at the credentials, the clock and the delivery role of our own side: no member can mend this.';
const WAIT = 'Wait: it is tried again by itself, each time after a longer while.';
const REGION = ['PermanentRedirect', 'AuthorizationHeaderMalformed', 'IllegalLocationConstraintException'];

function faultOf(to: MemberBucket, error: Error, said: string): MemberFault {
  if (isCalled(error, 'NoSuchBucket')) return noSuchBucket(to);
  if (isCalled(error, ...REGION) || statusOf(error) === 301) return anotherRegion(to, said);
  // S3 tells a missing right to the key as AccessDenied, and names the right.
  if (error.name.startsWith('KMS') || /\bkms:/.test(error.message)) return keyUnusable(to, said);
  return statusOf(error) === 403 ? accessDenied(to, said) : otherwiseRefused(to, said);
}

/** An error of S3 or of the network in words. */
export function saidBy(error: unknown): string {
  const { name, code, message } = error as Error & { code?: string };
  const status = statusOf(error);
  return `${message} (${code ?? name}${status === undefined ? '' : `, HTTP ${status}`})`;
}
