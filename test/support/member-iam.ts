import { runSimulation } from '@cloud-copilot/iam-simulate';
import type { PolicyDocument } from '../../core/bucket-policy.ts';

export const OPERATOR = '111111111111';
export const MEMBER = '222222222222';
export const OTHERS = '333333333333';
export const REGION = 'eu-central-1';
export const BUCKET = `ledgerhold-acme-bank-c-${MEMBER}-${REGION}-an`;
export const KEY = `arn:aws:kms:${REGION}:${MEMBER}:key/1234abcd-12ab-34cd-56ef-1234567890ab`;

/** A call at a member. Whoever calls may do everything as far as its own account goes: the member's side alone decides. */
export interface MemberCall {
  /** ARN. */
  readonly by: string;
  readonly action: string;
  /** Of the bucket, or of the key where the action is KMS's; default: the bucket or key itself. */
  readonly key?: string;
  readonly context?: Readonly<Record<string, string>>;
}

/** Decides calls by a bucket's or a key's policy; rejects if a call cannot be judged. */
export const memberIam =
  (policy: PolicyDocument) =>
  async ({ by, action, key, context = {} }: MemberCall): Promise<boolean> => {
    const isS3 = action.startsWith('s3:');
    const bucket = `arn:aws:s3:::${BUCKET}`;
    const result = await runSimulation(
      {
        request: {
          principal: by,
          action,
          resource: { resource: isS3 ? (key === undefined ? bucket : `${bucket}/${key}`) : KEY, accountId: MEMBER },
          contextVariables: {
            // The simulator does not tell it by itself. Of a session AWS gives the role's.
            'aws:PrincipalArn': by.replace(/^arn:aws:sts::(\d+):assumed-role\/([^/]+)\/.*$/, 'arn:aws:iam::$1:role/$2'),
            'aws:SecureTransport': 'true',
            ...(isS3 && { 's3:TlsVersion': '1.3', 's3:ResourceAccount': MEMBER }),
            ...told(context),
          },
        },
        identityPolicies: [{ name: 'everything', policy: EVERYTHING }],
        ...{ serviceControlPolicies: [], resourceControlPolicies: [], resourcePolicy: told(policy) },
      },
      {},
    );
    if (result.resultType === 'error') throw new Error(`${action} by ${by}: ${JSON.stringify(result.errors)}`);
    return result.overallResult === 'Allowed';
  };

/**
 * The simulator leaves out what a call says under `kms:EncryptionContext:…`, whose name holds a name of one's own. Under
 * the name of another text that such a call may have, and our policies do not use, it judges it like any other.
 */
const told = <T>(spoken: T): T =>
  JSON.parse(JSON.stringify(spoken).replaceAll('kms:EncryptionContext:aws:s3:arn', 'kms:RequestAlias'));

const EVERYTHING = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }] };
