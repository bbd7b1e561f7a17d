import * as z from 'zod';
import { RdsIdentifier } from '../../core/snapshots.ts';

const HttpsUrl = z.url({ protocol: /^https$/ });

/** A validator's identities endpoint. The secret is named, never held: this travels in a Lambda's environment. */
const Identities = z.strictObject({
  url: HttpsUrl,
  auth: z.strictObject({
    tokenUrl: HttpsUrl,
    clientId: z.string().min(1),
    clientSecretArn: z.string().startsWith('arn:'),
    audience: z.string().min(1).optional(),
    scope: z.string().min(1).optional(),
  }),
  /** The registered participant; another one's identities are refused. */
  participant: z.string().min(1).optional(),
  /** Base of the Scan that tells the synchronizer of the time. */
  scan: HttpsUrl.optional(),
  /** The node is reached from a private network: these very addresses may be private ones. */
  private: z.literal(true).optional(),
});
export type IdentitiesSource = z.infer<typeof Identities>;

/** Captured by a snapshot: `instance` or `cluster` by its identifier. */
const Rds = z.union([z.strictObject({ instance: RdsIdentifier }), z.strictObject({ cluster: RdsIdentifier })]);

/** Where one component's state comes from. */
export const CaptureSource = z.union([
  z.strictObject({ identities: Identities }),
  z.strictObject({ rds: Rds }),
  /** Out of a Lambda's reach: its kind, and where it is, for the receipt and for people. */
  z.strictObject({ elsewhere: z.strictObject({ kind: z.string(), at: z.string() }) }),
]);
export type CaptureSource = z.infer<typeof CaptureSource>;

/** What `CAPTURES` holds, as JSON: by node and component. */
export const CaptureSources = z.record(z.string(), z.record(z.string(), CaptureSource));
export type CaptureSources = z.infer<typeof CaptureSources>;
