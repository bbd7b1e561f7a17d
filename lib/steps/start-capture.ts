import { Duration } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import type { VpcPlace } from '../../config/nodes.ts';
import { CAPTURES_LIMIT, type CaptureSources, captureBytes, type DumpPlaces } from '../../core/capture-sources.ts';
import { LedgerholdError } from '../../core/errors.ts';
import { startCapture } from '../../lambdas/start-capture/contract.ts';
import type { DumpTasks } from '../dump-tasks.ts';
import { allow } from '../grants.ts';
import type { IdentitiesSecrets } from '../identities-secrets.ts';
import { allowLookingAtKeys, allowSnapshots, rdsResources } from '../rds-rights.ts';
import { StepLambda } from '../step-lambda.ts';
import type { Storage } from '../storage.ts';

export interface StartCaptureProps {
  readonly captures: CaptureSources;
  readonly secrets: IdentitiesSecrets;
  /** Are snapshots to be copied to another account? Then one that no other account can open is refused. */
  readonly copiedElsewhere?: boolean | undefined;
  /** The private network that the nodes are reached from. Only this step calls nodes: polls and ends ask AWS. */
  readonly vpc?: VpcPlace | undefined;
  /** Absent where no node is configured for Fargate. */
  readonly dumps?: DumpTasks | undefined;
}

export class StartCapture extends StepLambda<typeof startCapture> {
  constructor(
    scope: Construct,
    storage: Storage,
    { captures, secrets, copiedElsewhere, vpc, dumps }: StartCaptureProps,
  ) {
    super(scope, 'StartCapture', {
      step: startCapture,
      // Identities are fetched and stored within the call: a token, the identities and Scan, 30 s each at most.
      timeout: Duration.minutes(5),
      vpc,
      environment: {
        ...storage.lockingEnvironment,
        CAPTURES: inAnEnvironment(captures, dumps?.places ?? {}),
        DUMP_PLACES: JSON.stringify(dumps?.places ?? {}),
        ENVELOPE_KEY: storage.envelopeKey.keyArn,
        COPIED_ELSEWHERE: copiedElsewhere === true ? 'yes' : 'no',
      },
      grant: (role) => {
        storage.grant(role, {
          read: ['leases/*', 'sets/*/receipts/*', 'sets/*/runs/*.snapshot.json'],
          writeOnce: ['leases/*', 'sets/*/runs/*'],
        });
        allow(role, {
          because: 'It seals what can hold a secret. It may not open it: who backs up cannot read it back.',
          actions: ['kms:GenerateDataKey'],
          resources: [storage.envelopeKey.keyArn],
        });
        allow(role, {
          because: 'It signs in to the identities endpoints that the configuration names.',
          actions: ['secretsmanager:GetSecretValue'],
          resources: secretsOf(captures),
        });
        secrets.grantStore(role);
        const resources = rdsResources(scope, storage.network, captures);
        allowSnapshots(role, storage.network, resources);
        if (copiedElsewhere === true) allowLookingAtKeys(role, resources);
        dumps?.grantStart(role);
      },
    });
  }
}

/** More sources than a Lambda's environment can hold. */
export class CapturesTooLarge extends LedgerholdError {
  override readonly name = 'CapturesTooLarge';
  readonly kind = 'usage';
}

function inAnEnvironment(captures: CaptureSources, places: DumpPlaces): string {
  const size = captureBytes(captures, Object.keys(places).length);
  if (size <= CAPTURES_LIMIT) return JSON.stringify(captures);
  throw new CapturesTooLarge(
    `the sources of all captures are ${size} bytes, and a Lambda's environment has room for ${CAPTURES_LIMIT}`,
    'Shorten what the node names, or give some of the nodes a stack of their own.',
  );
}

const secretsOf = (captures: CaptureSources): string[] =>
  Object.values(captures)
    .flatMap((components) => Object.values(components))
    .flatMap((source) => ('identities' in source ? [source.identities.auth.clientSecretArn] : []));
