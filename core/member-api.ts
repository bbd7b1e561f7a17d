import * as z from 'zod';
import { ChainSettings } from './chain-settings.ts';
import { LedgerholdError } from './errors.ts';
import { CheckReport, Member, MemberFault } from './members.ts';
import { HIGHEST, NodeName } from './names.ts';
import { ReadBack } from './read-back.ts';

/** Bytes of a request's body at most: the longest that makes sense is a list of chains. */
export const MOST_OF_A_BODY = 8192;

/** What a member says of its bucket. Whose account it is in AWS attests, and so nobody can say it; nor an endpoint. */
export const AskedDestination = z.strictObject({
  bucket: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/, 'a name of 3 to 63 lower-case letters, digits and hyphens')
    .refine((name) => !/^(xn--|sthree-|amzn-s3-demo-)|--[a-z0-9]+-s3$|-s3alias$/.test(name), 'a name that S3 reserves'),
  region: z.string().regex(/^[a-z]{2}(-[a-z]+)+-\d$/, 'such as eu-central-1'),
  /** Without one the bucket encrypts with SSE-S3. */
  kmsKey: z
    .string()
    .max(200)
    .regex(/^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key\/[A-Za-z0-9-]+$/, 'the whole ARN of a key, no alias')
    .optional(),
  /** A new registration of the same bucket, too: all is delivered again, and what is there stays as it is. */
  again: z.boolean().optional(),
});
export type AskedDestination = z.infer<typeof AskedDestination>;

/**
 * `environmentBackupTarget: false` pauses, `true` goes on with what is missing. `chainFiles: false`: no chain files from now
 * on, but their records, evidence and manifests; `true`: the files, too, those that were missed included. Fields that are
 * left out stay.
 */
export const MemberChange = z
  .strictObject({
    environmentBackupTarget: z.boolean().optional(),
    chains: z.array(NodeName).max(100).nullable().optional(),
    chainFiles: z.boolean().optional(),
  })
  .refine((change) => Object.keys(change).length > 0, 'name at least one field');

export const MemberView = z.strictObject({
  ...Member.pick({ member: true, n: true, at: true, by: true, state: true, environmentBackupTarget: true }).shape,
  ...Member.pick({ targetSince: true, chains: true, retry: true, destination: true }).shape,
  /** Whether it takes chain files, and not their records, evidence and manifests alone. */
  chainFiles: z.boolean(),
  check: CheckReport.nullable(),
  /** A check is wanted, and has not been made yet. */
  checkWanted: z.boolean(),
  fault: MemberFault.nullable(),
});
export type MemberView = z.infer<typeof MemberView>;

/** Of the proof itself, which `GET …/proofs` has whole and signed: `?after=` its `seq` less one. */
export const ReadBackView = z.strictObject({
  ...ReadBack.pick({ seq: true, at: true, day: true, whole: true, objects: true, bytes: true }).shape,
  ...ReadBack.pick({ unread: true, fault: true, proven: true }).shape,
});
export type ReadBackView = z.infer<typeof ReadBackView>;

const count = z.int().min(0);
export const StatusView = z.strictObject({
  ...MemberView.shape,
  totals: z.strictObject({ objects: count, files: count, bytes: count, unproven: count }),
  lastReceiptAt: z.string().nullable(),
  chains: z.array(z.string()).nullable(),
  /** By chain that it wants: how far it is behind. */
  behind: z.array(
    z.strictObject({
      ...{ node: z.string(), block: count.nullable(), head: count.nullable(), blocks: count, manifests: z.int() },
      behindSince: z.string().nullable(),
    }),
  ),
  progress: z.number().nullable(),
  estimateSeconds: z.number().nullable(),
  /** The newest proof by reading; null: none of this destination, or the member does not let us read. */
  readBack: ReadBackView.nullable(),
});

/** Where a page ends: `?after=` of the next; null: there is no more now. */
const next = z.int().nullable();

/** `document` is the very text, in UTF-8 the bytes that were signed; `signature` is DER, in base64. */
const Signed = z.strictObject({ seq: z.int(), document: z.string(), sha256: z.string(), signature: z.string() });
export type Signed = z.infer<typeof Signed>;

export const ReceiptsPage = z.strictObject({ receipts: z.array(Signed), next });
export const ProofsPage = z.strictObject({ proofs: z.array(Signed), next });

/** By manifest, from the oldest on. Every key is that of the vault, and of the member’s own bucket under its prefix. */
export const HistoryPage = z.strictObject({
  node: z.string(),
  manifests: z.array(
    z.strictObject({
      ...{ seq: z.int(), key: z.string(), sha256: z.string(), sealedAt: z.string() },
      files: z.array(
        z.strictObject({
          ...{ key: z.string(), size: count, sha256: z.string(), compression: z.string() },
          ...{ firstBlock: count, lastBlock: count },
        }),
      ),
      /** Records of earlier manifests whose blocks the chain has left. */
      orphaned: z.array(z.string()),
    }),
  ),
  next,
});
export type HistoryPage = z.infer<typeof HistoryPage>;

/** One object that a manifest lists; `url` gives its bytes to whoever has it, until `expiresAt` at the latest. */
export const DownloadView = z.strictObject({
  ...{ key: z.string(), size: count, sha256: z.string(), url: z.string(), expiresAt: z.string() },
});

/** Enough to begin a download, which then goes on as long as it takes; short for what whoever has it can use. */
export const DOWNLOAD_SECONDS = 900;

export const BackupView = z.strictObject({
  node: z.string(),
  ...ChainSettings.shape,
  /** The version of the settings; 0: they are still the configuration’s. */
  version: count,
  at: z.string().nullable(),
  by: z.string().nullable(),
  /** `file`: the newest that this run has finished; null: none yet. */
  inProgress: z
    .strictObject({ run: z.string(), since: z.string(), step: z.string(), file: z.string().nullable() })
    .nullable(),
});

export const Failure = z.strictObject({ error: MemberFault });

const After = z.strictObject({ after: z.coerce.number().int().min(0).max(HIGHEST).default(0) });

/** `seq`: of the manifest that lists the key. Keys have slashes, and so are no part of a path. */
const OneObject = z.strictObject({
  seq: z.coerce.number().int().min(1).max(HIGHEST),
  key: z.string().min(1).max(1024),
});

export interface Route {
  readonly method: 'GET' | 'PUT' | 'PATCH' | 'POST' | 'DELETE';
  /** As OpenAPI writes it. */
  readonly path: string;
  /** Whose account may call it: that of the member `{id}`, or the operator’s own. */
  readonly who: 'member' | 'operator';
  readonly summary: string;
  readonly query?: z.ZodType;
  readonly body?: z.ZodType;
  readonly status: 200 | 202;
  readonly answer: z.ZodType;
}

const MEMBER = '/members/{id}';
const BACKUP = '/nodes/{id}/backup';
const HISTORY = '/nodes/{id}/history';

/** All that the API has: the router, the gateway, its policy and `docs/api/openapi.json` are made of it. */
export const ROUTES = {
  getMember: {
    ...{ method: 'GET', path: MEMBER, who: 'member', status: 200, answer: StatusView },
    summary: 'Where the member stands: state, destination, last check, what it has and what it lacks',
  },
  putDestination: {
    ...{ method: 'PUT', path: `${MEMBER}/destination`, who: 'member', status: 200, answer: MemberView },
    summary: 'Registers the bucket that files go to; it is checked before the first one goes there',
    body: AskedDestination,
  },
  deleteDestination: {
    ...{ method: 'DELETE', path: `${MEMBER}/destination`, who: 'member', status: 200, answer: MemberView },
    summary: 'Leaves: nothing further goes there, and what is there stays; registering again comes back',
  },
  patchMember: {
    ...{ method: 'PATCH', path: MEMBER, who: 'member', status: 200, answer: MemberView, body: MemberChange },
    summary:
      'Pauses and goes on (`environmentBackupTarget`); chooses chains (null: every one), and whether chain files come with ' +
      'their records, evidence and manifests (`chainFiles`)',
  },
  postCheck: {
    ...{ method: 'POST', path: `${MEMBER}/check`, who: 'member', status: 202, answer: MemberView },
    summary: 'Has the destination checked with the next delivery; `checkWanted` is false again once it was',
  },
  getReceipts: {
    ...{ method: 'GET', path: `${MEMBER}/receipts`, who: 'member', status: 200, answer: ReceiptsPage, query: After },
    summary: 'The signed receipts of what was delivered, from the oldest on',
  },
  getProofs: {
    ...{ method: 'GET', path: `${MEMBER}/proofs`, who: 'member', status: 200, answer: ProofsPage, query: After },
    summary: 'The signed proofs of what was read back at the member, from the oldest on',
  },
  getHistory: {
    ...{ method: 'GET', path: `${MEMBER}/history`, who: 'member', status: 200, answer: HistoryPage },
    summary: 'The files of a chain as its signed manifests list them, from the oldest on',
    query: After.extend({ node: NodeName.optional() }),
  },
  getBackup: {
    ...{ method: 'GET', path: BACKUP, who: 'operator', status: 200, answer: BackupView },
    summary: 'Whether and how often a chain is backed up, and what its run is at',
  },
  putBackup: {
    ...{ method: 'PUT', path: BACKUP, who: 'operator', status: 200, answer: BackupView, body: ChainSettings },
    summary: 'Sets both; from the next slot on',
  },
  patchBackup: {
    ...{ method: 'PATCH', path: BACKUP, who: 'operator', status: 200, answer: BackupView },
    summary: 'Sets what is named; from the next slot on',
    body: ChainSettings.partial().refine((change) => Object.keys(change).length > 0, 'name at least one field'),
  },
  getNodeHistory: {
    ...{ method: 'GET', path: HISTORY, who: 'operator', status: 200, answer: HistoryPage, query: After },
    summary: 'The same listing of a chain’s files as members get',
  },
  getDownload: {
    ...{ method: 'GET', path: `${HISTORY}/download`, who: 'operator', status: 200, answer: DownloadView },
    summary: 'A URL, of some minutes, by which one object that a manifest lists is downloaded from the vault',
    query: OneObject,
  },
} as const satisfies Readonly<Record<string, Route>>;
export type RouteId = keyof typeof ROUTES;

/** Calls that are not done, by name, with the status of HTTP; those that the registry or the vault refuse come besides. */
export const REFUSALS = {
  CallerUnknown: 403,
  NotYourMember: 403,
  OperatorOnly: 403,
  RequestInvalid: 400,
  KeyElsewhere: 400,
  NameElsewhere: 400,
  VaultItself: 400,
  BodyTooLarge: 413,
  NoSuchRoute: 404,
  NoSuchNode: 404,
  NoSuchChain: 404,
  NoSuchFile: 404,
  NotRegistered: 404,
  SuspendedByOperator: 409,
} as const;

export class ApiRefused extends LedgerholdError {
  override readonly name: keyof typeof REFUSALS;
  readonly kind = 'refused';
  constructor(name: keyof typeof REFUSALS, message: string, remedy: string) {
    super(message, remedy);
    this.name = name;
  }
}
