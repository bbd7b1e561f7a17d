import { Duration, Stack } from 'aws-cdk-lib';
import type { Role } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import { snapshotPrefix } from '../../core/deployed-names.ts';
import { TAG } from '../../core/snapshots.ts';
import { type RetainPolicy, retainNode } from '../../lambdas/retain-node/contract.ts';
import { allow } from '../grants.ts';
import { StepLambda } from '../step-lambda.ts';
import type { Storage } from '../storage.ts';

/** The only role of all that can delete, and only artifacts of this network and snapshots that bear its name and tag. */
export class RetainNode extends StepLambda<typeof retainNode> {
  constructor(scope: Construct, storage: Storage, policy: RetainPolicy) {
    super(scope, 'RetainNode', {
      step: retainNode,
      // A deletion takes some 50 ms, so some 10,000 artifacts and snapshots; what is left then goes in the next hour.
      timeout: Duration.minutes(14),
      environment: {
        ...storage.lockingEnvironment,
        SIGNING_KEY: storage.signingKey.keyArn,
        NETWORK: storage.network,
        RETENTION: JSON.stringify(policy),
      },
      grant: (role) => {
        const documents = ['manifests', 'tombstones', 'receipts'].map((kind) => `sets/*/${kind}/*`);
        storage.grant(role, {
          read: ['format.json', 'leases/*', 'holds/*', 'keys/*', ...documents],
          writeOnce: ['keys/*', 'sets/*/tombstones/*'],
        });
        storage.grantRemoval(role);
        allow(role, {
          because: 'It signs tombstones: what went, and why. It reads the public key to prove the chain before.',
          actions: ['kms:Sign', 'kms:GetPublicKey'],
          resources: [storage.signingKey.keyArn],
        });
        allowDeletingSnapshots(role, storage.network);
      },
    });
  }
}

function allowDeletingSnapshots(role: Role, network: string): void {
  const { partition, region, account } = Stack.of(role);
  const arn = (kind: string, id: string) => `arn:${partition}:rds:${region}:${account}:${kind}:${id}`;
  allow(role, {
    because: 'It finds the snapshots of the network among all manual ones: RDS lists by no tag and no prefix.',
    actions: ['rds:DescribeDBSnapshots', 'rds:DescribeDBClusterSnapshots'],
    resources: ['db', 'snapshot', 'cluster', 'cluster-snapshot'].map((kind) => arn(kind, '*')),
  });
  allow(role, {
    because: 'It deletes snapshots of expired sets: only with a name of ours, and tagged with this network.',
    actions: ['rds:DeleteDBSnapshot', 'rds:DeleteDBClusterSnapshot'],
    resources: ['snapshot', 'cluster-snapshot'].map((kind) => arn(kind, `${snapshotPrefix(network)}*`)),
    conditions: { StringEquals: { [`aws:ResourceTag/${TAG.network}`]: network } },
  });
}
