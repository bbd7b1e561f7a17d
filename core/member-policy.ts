import { onlyHttps, onlyWriteOnce, type PolicyDocument, type Statement } from './bucket-policy.ts';
import { deliveryRoleName } from './deployed-names.ts';
import { memberPrefix } from './names.ts';

/** Whom a member lets in, and to where. A text may hold what a template fills in later, such as `${AWS::Region}`. */
export interface MemberAccess {
  readonly network: string;
  readonly member: string;
  /** The account of the network's operator: 12 digits. */
  readonly operatorAccount: string;
  /** Name of the member's bucket. */
  readonly bucket: string;
  /** Full ARN of the member's own KMS key, by which the bucket encrypts. Undefined: by the keys of S3 (SSE-S3). */
  readonly keyArn?: string | undefined;
  /** Lets us read back what was delivered, to prove that it is still the same. */
  readonly reads?: boolean | undefined;
}

export const bucketArn = ({ bucket }: Pick<MemberAccess, 'bucket'>): string => `arn:aws:s3:::${bucket}`;

export const deliveryRoleArn = ({ network, operatorAccount }: Pick<MemberAccess, 'network' | 'operatorAccount'>) =>
  `arn:aws:iam::${operatorAccount}:role/${deliveryRoleName(network)}`;

const document = (Statement: readonly Statement[]): PolicyDocument => ({ Version: '2012-10-17', Statement });

/**
 * The policy of a member's bucket: one role of ours may add objects under the member's prefix, and nothing else. What it
 * may not is denied by name, so that no wider statement beside this one gives it more.
 */
export function memberPolicy(access: MemberAccess): PolicyDocument {
  const bucket = bucketArn(access);
  const objects = `${bucket}/${memberPrefix(access.network, access.member)}*`;
  const adds = ['s3:PutObject', 's3:AbortMultipartUpload'];
  const readsBack = access.reads === true ? ['s3:GetObject'] : [];
  const may = [...adds, ...readsBack];
  const role = theRole(access);
  const statement = (Sid: string, Effect: Statement['Effect'], what: Partial<Statement>): Statement => ({
    ...{ Sid, Effect, Principal: role.Principal, ...what, Condition: role.Condition },
  });
  return document([
    onlyHttps(bucket),
    statement('DeliveryAdds', 'Allow', { Action: adds, Resource: objects }),
    ...readsBack.map((Action) => statement('DeliveryReadsBack', 'Allow', { Action, Resource: objects })),
    statement('DeliveryDoesNothingElse', 'Deny', { NotAction: may, Resource: [bucket, `${bucket}/*`] }),
    statement('DeliveryGoesNowhereElse', 'Deny', { Action: may, NotResource: objects }),
    onlyWriteOnce(objects),
    ...onlyOwnEncryption(objects, access.keyArn),
  ]);
}

/**
 * The account and a condition, never the role as principal: S3 would turn that into the role's id, and a role that is
 * made again has another. The condition holds for the role's sessions, too.
 */
const theRole = (access: MemberAccess) => ({
  Principal: { AWS: `arn:aws:iam::${access.operatorAccount}:root` },
  Condition: { ArnEquals: { 'aws:PrincipalArn': deliveryRoleArn(access) } },
});

/** As a header of the request; a write that names no encryption gets the bucket's own, which is the right one. */
const NAMED = 's3:x-amz-server-side-encryption';
const NAMED_KEY = 's3:x-amz-server-side-encryption-aws-kms-key-id';
const WRITERS_KEY = 's3:x-amz-server-side-encryption-customer-algorithm';

/**
 * `aws:kms` without a key's ARN encrypts by a key of the *writer's* account, and the member could be locked out of what is
 * its own. A negated condition holds for a header that is not there: `Null` keeps such writes apart.
 */
function onlyOwnEncryption(objects: string, keyArn: string | undefined): Statement[] {
  const sent = (header: string) => ({ Null: { [header]: 'false' } });
  const own = keyArn === undefined ? { [NAMED]: 'AES256' } : { [NAMED_KEY]: keyArn };
  const deny = (Sid: string, Condition: NonNullable<Statement['Condition']>): Statement => ({
    ...{ Sid, Effect: 'Deny', Principal: '*' },
    ...{ Action: 's3:PutObject', Resource: objects, Condition },
  });
  return [
    deny('NoOtherEncryption', { ...sent(NAMED), StringNotEquals: own }),
    deny('NoOtherKey', { ...sent(NAMED_KEY), ...(keyArn && { StringNotEquals: { [NAMED_KEY]: keyArn } }) }),
    deny('NoKeyOfTheWriter', sent(WRITERS_KEY)),
  ];
}

/**
 * What the member's key has to allow for the bucket to take our writes: through S3 of its Region, for this bucket alone.
 * The context is the bucket's ARN where it has an S3 Bucket Key, as our templates make it, and else the object's.
 */
export function memberKeyStatement(access: MemberAccess, region: string): Statement {
  const bucket = bucketArn(access);
  const { Principal, Condition } = theRole(access);
  return {
    Sid: 'DeliveryThroughS3',
    Effect: 'Allow',
    Principal,
    Action: ['kms:GenerateDataKey', 'kms:Decrypt'],
    Resource: '*',
    Condition: {
      ...Condition,
      StringEquals: { 'kms:ViaService': `s3.${region}.amazonaws.com` },
      StringLike: {
        'kms:EncryptionContext:aws:s3:arn': [bucket, `${bucket}/${memberPrefix(access.network, access.member)}*`],
      },
    },
  };
}

/** The whole policy of a key made for the bucket: the member's account rules it, and we have that one right. */
export const memberKeyPolicy = (access: MemberAccess, place: { readonly account: string; readonly region: string }) =>
  document([
    {
      ...{ Sid: 'MemberRules', Effect: 'Allow', Principal: { AWS: `arn:aws:iam::${place.account}:root` } },
      ...{ Action: 'kms:*', Resource: '*' },
    },
    memberKeyStatement(access, place.region),
  ]);
