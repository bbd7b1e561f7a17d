import { Duration } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { sealManifest } from '../../lambdas/seal-manifest/contract.ts';
import { allow } from '../grants.ts';
import { StepLambda } from '../step-lambda.ts';
import type { Storage } from '../storage.ts';

export class SealManifest extends StepLambda<typeof sealManifest> {
  constructor(scope: Construct, storage: Storage) {
    super(scope, 'SealManifest', {
      step: sealManifest,
      timeout: Duration.minutes(5),
      environment: { ...storage.lockingEnvironment, SIGNING_KEY: storage.signingKey.keyArn },
      grant: (role) => {
        storage.grant(role, {
          read: ['leases/*', 'keys/*', 'sets/*/receipts/*', 'sets/*/manifests/*'],
          writeOnce: ['leases/*', 'keys/*', 'sets/*/manifests/*'],
        });
        allow(role, {
          because: 'It signs manifests, and puts the public key beside them.',
          actions: ['kms:Sign', 'kms:GetPublicKey'],
          resources: [storage.signingKey.keyArn],
        });
      },
    });
  }
}
