import { Duration, Lazy, Stack } from 'aws-cdk-lib';
import { Role as CdkRole, type Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { CfnSchedule } from 'aws-cdk-lib/aws-scheduler';
import type { Construct } from 'constructs';
import { type WatchedNode, watchdog } from '../lambdas/watchdog/contract.ts';
import { allow } from './grants.ts';
import { StepLambda } from './step-lambda.ts';
import type { Storage } from './storage.ts';

/** Nodes that one schedule has looked at. */
export interface Expected {
  /** The number of their group, from 1. */
  readonly group: number;
  readonly nodes: readonly WatchedNode[];
  /** Whether snapshots are to be looked at. */
  readonly snapshots: boolean;
  /** Whether this turn measures what there is one of in a network. */
  readonly ofNetwork: boolean;
  /** ARNs of the keys of their identities' secrets; they lie where the watchdog does. Default: none. */
  readonly keys?: readonly string[];
}

/** Looks every 5 minutes at what really lies there. It writes nothing, and starts nothing. */
export class Watchdog extends StepLambda<typeof watchdog> {
  readonly #network: string;
  readonly #lambdaRole: Role;
  readonly #scheduleRole: Role;
  #seesSnapshots = false;
  /** Of all groups: the turn that measures keys is the first one's, whatever is added later. */
  readonly #keys = new Set<string>();

  constructor(scope: Construct, storage: Storage) {
    let lambdaRole: Role | undefined;
    super(scope, 'Watchdog', {
      step: watchdog,
      // Over before the next turn begins.
      timeout: Duration.seconds(280),
      memoryMiB: 1024,
      environment: {
        ...storage.environment,
        SIGNING_KEY: storage.signingKey.keyArn,
        ENVELOPE_KEY: storage.envelopeKey.keyArn,
        BUCKET_KEY: storage.bucketKey.keyArn,
      },
      grant: (role) => {
        lambdaRole = role;
        allowReading(role, storage);
      },
    });
    if (lambdaRole === undefined) throw new TypeError('a step without a role');
    this.#lambdaRole = lambdaRole;
    this.#network = storage.network;
    // What failed is not tried again: the next turn sees what this one would have.
    this.lambda.configureAsyncInvoke({ retryAttempts: 0, maxEventAge: Duration.minutes(5) });
    this.#scheduleRole = this.#caller();
  }

  /** The expectations travel with a schedule of their own, which takes 256 KB; a Lambda's environment takes 4. */
  expect({ group, nodes, snapshots, ofNetwork, keys = [] }: Expected): void {
    allow(this.#lambdaRole, {
      because: 'It sees whether a secret is being deleted; it may not read its value.',
      actions: ['secretsmanager:DescribeSecret'],
      resources: nodes.flatMap(({ credentials, identities }) => [
        ...credentials,
        ...(identities === undefined ? [] : [this.#secretNamed(identities)]),
      ]),
    });
    this.#expectKeys(keys);
    if (snapshots && !this.#seesSnapshots) allowSeeingSnapshots(this.#lambdaRole);
    this.#seesSnapshots ||= snapshots;
    new CfnSchedule(this, `Schedule${group}`, {
      scheduleExpression: 'rate(5 minutes)',
      flexibleTimeWindow: { mode: 'OFF' },
      target: {
        ...{ arn: this.lambda.functionArn, roleArn: this.#scheduleRole.roleArn },
        input: Stack.of(this).toJsonString({
          ...{ network: this.#network, snapshots, ofNetwork, nodes },
          keys: ofNetwork ? Lazy.any({ produce: () => [...this.#keys] }) : [],
        }),
        retryPolicy: { maximumRetryAttempts: 0, maximumEventAgeInSeconds: 300 },
      },
    });
  }

  #expectKeys(keys: readonly string[]): void {
    allow(this.#lambdaRole, {
      because: 'It sees whether the key of the secrets that hold identities is being deleted.',
      actions: ['kms:DescribeKey'],
      resources: keys.filter((key) => !this.#keys.has(key)),
    });
    for (const key of keys) this.#keys.add(key);
  }

  /** Six characters that Secrets Manager chooses stand behind a name. */
  #secretNamed(name: string): string {
    const { partition, region, account } = Stack.of(this);
    return `arn:${partition}:secretsmanager:${region}:${account}:secret:${name}-??????`;
  }

  #caller(): Role {
    const { account } = Stack.of(this);
    const role = new CdkRole(this, 'ScheduleRole', {
      assumedBy: new ServicePrincipal('scheduler.amazonaws.com', {
        conditions: { StringEquals: { 'aws:SourceAccount': account } },
      }),
    });
    allow(role, {
      because: 'The schedule calls the watchdog.',
      actions: ['lambda:InvokeFunction'],
      resources: [this.lambda.functionArn],
    });
    return role;
  }
}

function allowReading(role: Role, storage: Storage): void {
  storage.grantRead(role, [
    ...['leases/*', 'keys/*', 'drills/*', 'settings/*'],
    ...['sets/*/receipts/*', 'sets/*/manifests/*', 'sets/*/tombstones/*'],
    ...['chain/*/manifests/*', 'chain/*/records/*'],
  ]);
  const { signingKey, envelopeKey, bucketKey } = storage;
  allow(role, {
    because: 'It holds signatures against the public key as KMS gives it, never as the vault does.',
    actions: ['kms:GetPublicKey'],
    resources: [signingKey.keyArn],
  });
  allow(role, {
    because: 'It sees whether a key that backups need is being deleted.',
    actions: ['kms:DescribeKey'],
    resources: [signingKey, envelopeKey, bucketKey].map(({ keyArn }) => keyArn),
  });
}

function allowSeeingSnapshots(role: Role): void {
  const { partition, region, account } = Stack.of(role);
  const arn = (service: string, rest: string) => `arn:${partition}:${service}:${region}:${account}:${rest}`;
  allow(role, {
    because: 'It sees whether the key of a snapshot is being deleted; which keys those are is known at run time only.',
    actions: ['kms:DescribeKey'],
    resources: [arn('kms', 'key/*')],
  });
  allow(role, {
    because: 'It lists the snapshots of this account and Region, since RDS lists them by account only.',
    actions: ['rds:DescribeDBSnapshots', 'rds:DescribeDBClusterSnapshots'],
    resources: ['db:*', 'cluster:*', 'snapshot:*', 'cluster-snapshot:*'].map((each) => arn('rds', each)),
  });
  allow(role, {
    because: 'It reads how much of the snapshot quota is used; the quota is the account’s, and has no ARN.',
    actions: ['rds:DescribeAccountAttributes'],
    resources: ['*'],
  });
}
