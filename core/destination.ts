import * as z from 'zod';

export const BucketDestination = z.strictObject({
  kind: z.literal('bucket'),
  bucket: z.string().min(3).max(63),
  region: z.string().regex(/^[a-z]{2}(-[a-z]+)+-\d$/),
  /** The 12 digits of the account that owns the bucket, sent with every call. */
  account: z.string().regex(/^\d{12}$/),
  /** ARN of the member's own key that its bucket encrypts with; without one SSE-S3. */
  kmsKey: z.string().optional(),
  /** Of an S3 server other than AWS. Operators alone can give one. */
  endpoint: z.string().optional(),
});
export type BucketDestination = z.infer<typeof BucketDestination>;

/** Where a member's files go. */
export const MemberDestination = z.discriminatedUnion('kind', [
  BucketDestination,
  z.strictObject({ kind: z.literal('folder'), path: z.string().startsWith('/') }),
]);
export type MemberDestination = z.infer<typeof MemberDestination>;

/** Whether a deployed delivery can get there. To all else goes the machine that has the configuration. */
export const isOnAws = (destination: MemberDestination | null): destination is BucketDestination =>
  destination?.kind === 'bucket' && destination.endpoint === undefined;
