import { types } from 'node:util';
import { LedgerholdError } from '../core/errors.ts';
import { VaultUnavailable } from '../core/vault.ts';
import type { S3Bucket } from './s3-bucket.ts';

/** What the SDK's errors have in common, its own and the network's. */
interface Refusal extends Error {
  readonly $metadata?: { readonly httpStatusCode?: number; readonly attempts?: number };
  readonly code?: string;
}

const CREDENTIALS = 'Give this process AWS credentials that are valid now (`aws sts get-caller-identity` shows whose).';
const REGION = 'Write the region of the bucket into the configuration.';
const NETWORK = 'Check the network, the proxy and the endpoint from this machine; then run again.';

/** What a person does about each refusal, by the error's name or, for the network, its code. */
const remedies: Readonly<Record<string, string>> = {
  NoSuchBucket: 'Create the bucket, or correct its name and region in the configuration.',
  PermanentRedirect: REGION,
  AuthorizationHeaderMalformed: REGION,
  IllegalLocationConstraintException: REGION,
  InvalidAccessKeyId: CREDENTIALS,
  SignatureDoesNotMatch: CREDENTIALS,
  ExpiredToken: CREDENTIALS,
  CredentialsProviderError: CREDENTIALS,
  RequestTimeTooSkewed: 'Set the clock of this machine: S3 refuses requests more than 15 minutes off.',
  SlowDown: 'Run again later: S3 asked us to slow down, and went on asking through all retries.',
  BadDigest: 'Check memory and network of this machine: what S3 received is not what we sent.',
  EntityTooLarge: 'Give this server smaller objects, or use one that takes 5 TiB as S3 does.',
  NoSuchUpload: 'Run again, and let sweeps spare younger uploads: this one was removed while it was written.',
  InvalidRequest: 'See what the message names; a vault on AWS needs a bucket with versioning and Object Lock.',
  InvalidObjectState: 'Bring the object back from its archive class (`aws s3api restore-object`), and run again.',
  KMSInvalidStateException: 'Enable the KMS key of the vault.',
  ENOTFOUND: NETWORK,
  EAI_AGAIN: NETWORK,
  ECONNREFUSED: NETWORK,
  ECONNRESET: NETWORK,
  EPIPE: NETWORK,
  EHOSTUNREACH: NETWORK,
  ENETUNREACH: NETWORK,
  TimeoutError: NETWORK,
};

/** An answer of S3. Its refusal becomes `VaultUnavailable` with a remedy, unless it ended by `signal`: then its reason. */
export async function onS3<T>(bucket: S3Bucket, answer: Promise<T>, signal?: AbortSignal): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    signal?.throwIfAborted();
    throw unavailable(bucket, error);
  }
}

/** Like `onS3`, but refusals called `name` are an answer, too: undefined. */
export async function unlessS3<T>(bucket: S3Bucket, name: string, answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (isCalled(error, name)) return undefined;
    throw unavailable(bucket, error);
  }
}

/** The error to throw for whatever a call to S3 rejected with; what is not S3's or the network's stays as it is. */
export function unavailable(bucket: S3Bucket, error: unknown): unknown {
  if (!isRefusal(error)) return error;
  const name = error.code ?? error.name;
  const remedy = remedies[error.name] ?? remedies[name] ?? remedyByStatus(bucket, statusOf(error));
  const status = statusOf(error) === undefined ? '' : `, HTTP ${statusOf(error)}`;
  return new VaultUnavailable(`${bucket.url} refused: ${error.message} (${name}${status})`, remedy, { cause: error });
}

export const isCalled = (error: unknown, ...names: readonly string[]): boolean =>
  types.isNativeError(error) && names.includes(error.name);

export const statusOf = (error: unknown): number | undefined => (error as Refusal).$metadata?.httpStatusCode;

/** How often the SDK sent the call that ended so. */
export const attemptsOf = (error: unknown): number => (error as Refusal).$metadata?.attempts ?? 1;

/** Of S3 or of the network; anything else is a bug, or somebody's reason to stop. */
export function isRefusal(error: unknown): error is Refusal {
  if (!types.isNativeError(error) || error instanceof LedgerholdError) return false;
  return '$metadata' in error || 'code' in error || error.name in remedies;
}

function remedyByStatus({ account, at }: S3Bucket, status: number | undefined): string {
  if (status === 403) {
    const owner = account === undefined ? '' : `, and see that account ${account} owns it`;
    return `Allow this identity s3:GetObject, s3:PutObject, s3:ListBucket (and its KMS key) on ${at.Bucket}${owner}.`;
  }
  if (status === 301) return REGION;
  if (status === undefined) return NETWORK;
  return status >= 500 ? 'Run again later: the fault is with S3.' : 'Look the error up in the S3 API reference.';
}
