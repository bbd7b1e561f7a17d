import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';

export interface S3Connection {
  readonly region?: string;
  /** Another S3 server than AWS's, such as `https://s3.internal:7070`; buckets are then named in the path. */
  readonly endpoint?: string;
  readonly credentials?: NonNullable<S3ClientConfig['credentials']>;
}

/**
 * Sixteen passes of a delivery at once, each with sixteen reads and some files on their way. Of the SDK's own fifty those
 * who wait for a socket are taken for calls to a server that does not answer.
 */
const AGENT = { maxSockets: 512 } as const;

/** Settings that every S3 client of ours has, so that none waits for ever. Times in milliseconds. */
export const S3_LIMITS = {
  // Four waits of the SDK's, each at most twice the one before: 0.75 s in all, and 15 s if S3 says to slow down.
  maxAttempts: 5,
  retryMode: 'standard',
  // Silence, not length, is the failure: a large part over a slow line takes minutes and is well.
  requestHandler: { connectionTimeout: 5_000, socketTimeout: 60_000, httpAgent: AGENT, httpsAgent: AGENT },
} as const satisfies S3ClientConfig;

export const s3Client = (connection: S3Connection): S3Client => new S3Client(settingsOf(connection));

const settingsOf = ({ region, endpoint, credentials }: S3Connection) => ({
  ...S3_LIMITS,
  ...(region === undefined ? {} : { region }),
  ...(endpoint === undefined ? {} : { endpoint, forcePathStyle: true }),
  ...(credentials === undefined ? {} : { credentials }),
});

/**
 * For a member's bucket. What may pass is tried again by the destination, which must know of every try; and whatever is
 * sent names its checksum itself: a body that streams has to go with the digest that was sealed, not with one of its end.
 */
export const memberClient = (connection: S3Connection): S3Client =>
  new S3Client({
    ...settingsOf(connection),
    ...{ maxAttempts: 1, requestChecksumCalculation: 'WHEN_REQUIRED', logger: SILENT },
  });

/** Without a logger the SDK warns on the console of every body that broke off, which we tell in our own words. */
const SILENT = { trace: () => {}, debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
