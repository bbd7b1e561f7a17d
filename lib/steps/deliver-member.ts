import { Duration } from 'aws-cdk-lib';
import type { Role } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import { type DeliveryList, deliverMember } from '../../lambdas/deliver-member/contract.ts';
import { allow } from '../grants.ts';
import { StepLambda } from '../step-lambda.ts';
import type { Storage } from '../storage.ts';

export interface DeliverMemberProps {
  readonly storage: Storage;
  readonly deliveryRoleArn: string;
  readonly list: DeliveryList;
}

/** Reads what is for members and writes receipts; into a member's bucket it gets by the delivery role alone. */
export class DeliverMember extends StepLambda<typeof deliverMember> {
  readonly role: Role;

  constructor(scope: Construct, { storage, deliveryRoleArn, list }: DeliverMemberProps) {
    let own: Role | undefined;
    super(scope, 'DeliverMember', {
      step: deliverMember,
      timeout: Duration.minutes(14),
      memoryMiB: 1024,
      environment: {
        ...{ ...storage.lockingEnvironment, VAULT_KEY: storage.bucketKey.keyArn },
        ...{ SIGNING_KEY: storage.signingKey.keyArn, NETWORK: storage.network },
        DELIVERY_ROLE: deliveryRoleArn,
      },
      list,
      grant: (role) => {
        own = role;
        storage.grant(role, {
          read: ['format.json', 'keys/*', 'chain/*', 'members/*', 'deliveries/*', 'proofs/*'],
          writeOnce: ['members/*', 'deliveries/*', 'proofs/*', 'keys/*'],
        });
        allow(role, {
          because: 'It signs receipts, and puts the public key beside them.',
          actions: ['kms:Sign', 'kms:GetPublicKey'],
          resources: [storage.signingKey.keyArn],
        });
        allow(role, {
          because: 'It takes the one role that members let in, narrowed to one bucket and prefix each time.',
          actions: ['sts:AssumeRole'],
          resources: [deliveryRoleArn],
        });
      },
    });
    if (own === undefined) throw new TypeError('a step without a role');
    this.role = own;
  }
}
