import { RemovalPolicy, Stack } from 'aws-cdk-lib';
import type { Role } from 'aws-cdk-lib/aws-iam';
import { Key, KeySpec, KeyUsage } from 'aws-cdk-lib/aws-kms';
import type { Bucket } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import type { NetworkName } from '../core/names.ts';
import { DEFAULT_LOCK, type LockPolicy, lockDays } from '../core/object-lock.ts';
import { allow } from './grants.ts';
import { vaultBucket } from './vault-bucket.ts';

/** Patterns of keys within the network's part of the vault, such as `leases/*`. */
export interface VaultRights {
  readonly read?: readonly string[];
  readonly writeOnce?: readonly string[];
}

/** Kept whatever becomes of the stack, but for one whose very creation fails. */
const KEPT = { removalPolicy: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE };
const ROTATED = { ...KEPT, enableKeyRotation: true };

/** The vault's bucket and the keys. All of it outlives the stack. */
export class Storage extends Construct {
  readonly network: NetworkName;
  readonly lock: LockPolicy;
  readonly bucket: Bucket;
  /** Encrypts the bucket's objects at rest. */
  readonly bucketKey: Key;
  /** Seals what can hold a secret. Whoever backs up may seal with it and not open. */
  readonly envelopeKey: Key;
  /** Signs manifests: ECDSA P-256. */
  readonly signingKey: Key;
  #identitiesKey: Key | undefined;

  constructor(scope: Construct, id: string, network: NetworkName, lock: LockPolicy = DEFAULT_LOCK) {
    super(scope, id);
    this.network = network;
    this.lock = lock;
    this.bucketKey = new Key(this, 'BucketKey', ROTATED);
    this.envelopeKey = new Key(this, 'EnvelopeKey', ROTATED);
    const p256 = { keySpec: KeySpec.ECC_NIST_P256, keyUsage: KeyUsage.SIGN_VERIFY };
    this.signingKey = new Key(this, 'SigningKey', { ...KEPT, ...p256 });
    this.bucket = vaultBucket(this, { key: this.bucketKey, prefix: `${network}/` });
  }

  /** Seals the secrets that hold the identities of the network's nodes, of all of its groups; there once it is asked for. */
  get identitiesKey(): Key {
    this.#identitiesKey ??= new Key(this, 'IdentitiesKey', ROTATED);
    return this.#identitiesKey;
  }

  /** How a step finds the vault. */
  get environment() {
    const { account } = Stack.of(this);
    return { VAULT_BUCKET: this.bucket.bucketName, VAULT_PREFIX: this.network, VAULT_ACCOUNT: account };
  }

  /** The same, and for how long what it writes is locked. */
  get lockingEnvironment() {
    return { ...this.environment, VAULT_LOCK: JSON.stringify(this.lock) };
  }

  /** No step may delete, overwrite, or read an artifact. */
  grant(role: Role, { read = [], writeOnce = [] }: VaultRights): void {
    this.#grantObjects(role, read);
    allow(role, {
      because: `It adds ${writeOnce.join(', ')} to the vault; the bucket refuses what would overwrite.`,
      actions: ['s3:PutObject', 's3:AbortMultipartUpload'],
      resources: this.#objects(writeOnce),
      conditions: this.#inOurAccount,
    });
    allow(role, {
      because:
        'What it adds is locked against deletion from the moment it is there; it may not lift or shorten a lock.',
      actions: ['s3:PutObjectRetention'],
      resources: this.#objects(writeOnce.filter((pattern) => lockDays(pattern, this.lock) !== undefined)),
      conditions: this.#inOurAccount,
    });
    allow(role, {
      because: 'S3 opens and seals objects at rest with the key of the bucket, on behalf of who reads and writes.',
      actions: ['kms:Decrypt', 'kms:GenerateDataKey'],
      resources: [this.bucketKey.keyArn],
      conditions: this.#throughS3,
    });
  }

  /** For who may not write at all. */
  grantRead(role: Role, read: readonly string[]): void {
    this.#grantObjects(role, read);
    allow(role, {
      because: 'S3 opens objects at rest with the key of the bucket, on behalf of who reads.',
      actions: ['kms:Decrypt'],
      resources: [this.bucketKey.keyArn],
      conditions: this.#throughS3,
    });
  }

  #grantObjects(role: Role, read: readonly string[]): void {
    allow(role, {
      because: 'Without the right to list, S3 answers 403 for an object that is absent.',
      actions: ['s3:ListBucket'],
      resources: [this.bucket.bucketArn],
      conditions: this.#inOurAccount,
    });
    allow(role, {
      because: `It reads ${read.join(', ')} of the vault; nodes, slots and numbers are known at run time only.`,
      actions: ['s3:GetObject'],
      resources: this.#objects(read),
      conditions: this.#inOurAccount,
    });
  }

  /** For retention alone. What is deleted in a bucket with versions is hidden first; its lifecycle rule ends it. */
  grantRemoval(role: Role): void {
    allow(role, {
      because: 'It removes artifacts of expired sets and of broken-off runs. The bucket refuses to lose a receipt.',
      actions: ['s3:DeleteObject', 's3:AbortMultipartUpload'],
      resources: [this.bucket.arnForObjects(`${this.network}/sets/*/runs/*`)],
      conditions: this.#inOurAccount,
    });
    allow(role, {
      because: 'It finds the uploads that interrupted writers left behind.',
      actions: ['s3:ListBucketMultipartUploads'],
      resources: [this.bucket.bucketArn],
      conditions: this.#inOurAccount,
    });
  }

  /** A bucket of the same name that somebody else made after ours was deleted is not ours. */
  get #inOurAccount() {
    return { StringEquals: { 's3:ResourceAccount': Stack.of(this).account } };
  }

  get #throughS3() {
    return { StringEquals: { 'kms:ViaService': `s3.${Stack.of(this).region}.amazonaws.com` } };
  }

  #objects(patterns: readonly string[]): string[] {
    return patterns.map((pattern) => this.bucket.arnForObjects(`${this.network}/${pattern}`));
  }
}
