import { type App, CfnOutput, RemovalPolicy, Stack, Tags } from 'aws-cdk-lib';
import { AccountPrincipal, AnyPrincipal, Effect, PolicyStatement, type Role } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import type { Bucket } from 'aws-cdk-lib/aws-s3';
import type { Config } from '../config/schema.ts';
import {
  secondSnapshotsRoleName,
  secondVaultKeyAlias,
  secondVaultRoleName,
  stackName,
} from '../core/deployed-names.ts';
import { type SecondPlace, secondPlaceOf } from './second-vault-place.ts';
import { type SnapshotOrigin, snapshotKeeper } from './snapshot-keeper.ts';
import { COPIES } from './steps/copy-snapshots.ts';
import { vaultBucket } from './vault-bucket.ts';

/** Who fills it: one role of one account, by a condition and so in whichever order the two stacks are deployed. */
interface Filler {
  readonly account: string;
  readonly roleArn: string;
}

/**
 * The second vault: a bucket and its key in another account or Region, to be deployed by whoever owns that. It trusts the
 * first account in one role alone, to add, to read and to list; it outlives its stack, and all of the first account.
 */
export class SecondVaultStack extends Stack {
  readonly bucket: Bucket;
  /** Of the bucket, and of the copies of snapshots. */
  readonly key: Key;
  /** What copies snapshots into this account. */
  readonly keeper: Role;

  constructor(
    app: App,
    config: Config,
    { account, region, bucket, prefix }: SecondPlace,
    from: Pick<SnapshotOrigin, 'account' | 'region'>,
  ) {
    const { network } = config;
    super(app, stackName(network, 'Second'), {
      description: `Ledgerhold: second vault of ${network}`,
      terminationProtection: true,
      env: { account, region },
    });
    const tags = { ...config.aws?.tags, network, 'managed-by': 'ledgerhold' };
    for (const [key, value] of Object.entries(tags)) Tags.of(this).add(key, value);
    const arnOf = (role: string) => `arn:${this.partition}:iam::${from.account}:role/${role}`;
    this.key = new Key(this, 'BucketKey', {
      ...{ removalPolicy: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE, enableKeyRotation: true },
      // The first account calls for copies under it, and cannot know its id.
      alias: secondVaultKeyAlias(network),
    });
    this.bucket = vaultBucket(this, { key: this.key, prefix, name: bucket });
    const filler = { account: from.account, roleArn: arnOf(secondVaultRoleName(network)) };
    letFill(this.bucket, this.key, prefix, filler);
    const teller = { account: from.account, roleArn: arnOf(secondSnapshotsRoleName(network)) };
    letTellOfCopies(this.bucket, this.key, prefix, teller);
    letNobodyElseIn(this.bucket, from.account, account);
    this.keeper = snapshotKeeper(this, this.key, { network, ...from });
    new CfnOutput(this, 'Url', { value: this.bucket.s3UrlForObject(prefix) });
  }
}

/** Undefined: the config has no second vault on AWS. */
export function secondVaultStack(app: App, config: Config): SecondVaultStack | undefined {
  const place = secondPlaceOf(config);
  if (place === undefined || config.aws === undefined) return undefined;
  const { account, region } = config.aws;
  return new SecondVaultStack(app, config, place, { account, region });
}

/** The role's own account must allow it, too: neither side can give this away alone. */
function letFill(bucket: Bucket, key: Key, prefix: string, { account, roleArn }: Filler): void {
  const filler = {
    effect: Effect.ALLOW,
    principals: [new AccountPrincipal(account)],
    conditions: { ArnEquals: { 'aws:PrincipalArn': roleArn } },
  };
  const objects = ['s3:GetObject', 's3:PutObject', 's3:PutObjectRetention', 's3:AbortMultipartUpload'];
  bucket.addToResourcePolicy(
    new PolicyStatement({
      sid: 'FillerAddsAndReads',
      ...filler,
      actions: objects,
      resources: [bucket.arnForObjects(`${prefix}*`)],
    }),
  );
  bucket.addToResourcePolicy(
    new PolicyStatement({ sid: 'FillerLists', ...filler, actions: ['s3:ListBucket'], resources: [bucket.bucketArn] }),
  );
  key.addToResourcePolicy(
    new PolicyStatement({
      sid: 'FillerSealsAndOpens',
      ...filler,
      actions: ['kms:Decrypt', 'kms:GenerateDataKey'],
      resources: ['*'],
    }),
  );
}

/** What copies snapshots says here where they lie, and can add nothing else. */
function letTellOfCopies(bucket: Bucket, key: Key, prefix: string, { account, roleArn }: Filler): void {
  const teller = {
    effect: Effect.ALLOW,
    principals: [new AccountPrincipal(account)],
    conditions: { ArnEquals: { 'aws:PrincipalArn': roleArn } },
  };
  const [actions, resources] = [
    ['s3:GetObject', 's3:PutObject', 's3:PutObjectRetention'],
    [bucket.arnForObjects(`${prefix}${COPIES}`)],
  ];
  bucket.addToResourcePolicy(new PolicyStatement({ sid: 'TellerSaysWhereCopiesLie', ...teller, actions, resources }));
  bucket.addToResourcePolicy(
    new PolicyStatement({ sid: 'TellerLists', ...teller, actions: ['s3:ListBucket'], resources: [bucket.bucketArn] }),
  );
  key.addToResourcePolicy(
    new PolicyStatement({
      ...{ sid: 'TellerSealsAndOpens', ...teller },
      ...{ actions: ['kms:Decrypt', 'kms:GenerateDataKey'], resources: ['*'] },
    }),
  );
}

/** Whoever takes over the first account gets nothing gone here. In one account its owner keeps the right to delete. */
function letNobodyElseIn(bucket: Bucket, from: string, account: string): void {
  if (from === account) return;
  bucket.addToResourcePolicy(
    new PolicyStatement({
      sid: 'FirstAccountDeletesNothing',
      effect: Effect.DENY,
      principals: [new AnyPrincipal()],
      actions: [
        ...[
          's3:DeleteObject',
          's3:DeleteObjectVersion',
          's3:BypassGovernanceRetention',
          's3:PutLifecycleConfiguration',
        ],
        ...['s3:PutBucketPolicy', 's3:DeleteBucketPolicy', 's3:DeleteBucket', 's3:PutBucketVersioning'],
      ],
      resources: [bucket.bucketArn, bucket.arnForObjects('*')],
      conditions: { StringEquals: { 'aws:PrincipalAccount': from } },
    }),
  );
}
