import * as z from 'zod';
import { DumpSource } from './dump-task.ts';
import { RdsIdentifier, type SnapshotKind } from './snapshots.ts';

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
export const RdsAddress = z.union([
  z.strictObject({ instance: RdsIdentifier }),
  z.strictObject({ cluster: RdsIdentifier }),
]);
export type RdsAddress = z.infer<typeof RdsAddress>;

/** The same, told apart by its kind. */
export const rdsNamed = (rds: RdsAddress): { readonly kind: SnapshotKind; readonly id: string } =>
  'cluster' in rds ? { kind: 'cluster', id: rds.cluster } : { kind: 'instance', id: rds.instance };

/** `at` is for the receipt and for people. */
const Dumped = z.strictObject({ at: z.string(), database: DumpSource });
export type DumpedDatabase = z.infer<typeof Dumped>;

/** Where one component's state comes from. */
export const CaptureSource = z.union([
  z.strictObject({ identities: Identities }),
  z.strictObject({ rds: RdsAddress }),
  /** Dumped by a task, at the node's place. */
  z.strictObject({ dump: Dumped }),
  /** Out of a Lambda's reach: its kind, and where it is, for the receipt and for people. */
  z.strictObject({ elsewhere: z.strictObject({ kind: z.string(), at: z.string() }) }),
]);
export type CaptureSource = z.infer<typeof CaptureSource>;

/** What `CAPTURES` holds, as JSON: by node and component. */
export const CaptureSources = z.record(z.string(), z.record(z.string(), CaptureSource));
export type CaptureSources = z.infer<typeof CaptureSources>;

/** What `DUMP_PLACES` holds, as JSON: by node, where its tasks run. */
export const DumpPlaces = z.record(
  z.string(),
  z.strictObject({
    /** ARNs. */
    cluster: z.string(),
    taskDefinition: z.string(),
    subnets: z.array(z.string()).min(1),
    securityGroups: z.array(z.string()).min(1),
  }),
);
export type DumpPlaces = z.infer<typeof DumpPlaces>;

/** Of the 4 KB that Lambda gives to all variables together. */
export const CAPTURES_LIMIT = 3_500;

/** Of one node's place for dump tasks: two ARNs, and a handful of ids. */
const PLACE_BYTES = 500;

/** `places`: how many nodes have a place for dump tasks; default: none. */
export const captureBytes = (captures: CaptureSources, places = 0): number =>
  new TextEncoder().encode(JSON.stringify(captures)).length + places * PLACE_BYTES;
