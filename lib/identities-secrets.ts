import { RemovalPolicy, SecretValue, Stack, Validations } from 'aws-cdk-lib';
import type { Role } from 'aws-cdk-lib/aws-iam';
import type { Key } from 'aws-cdk-lib/aws-kms';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import type { CaptureSources } from '../core/capture-sources.ts';
import { identitiesSecretName } from '../core/deployed-names.ts';
import { PLACEHOLDER } from '../core/identities-secret.ts';
import { allow } from './grants.ts';
import type { Storage } from './storage.ts';

/**
 * A secret for each node whose identities are captured here: the copy to work with, beside the history in the vault.
 * They have a key of their own, since who writes a secret must be able to open it through Secrets Manager, and nobody
 * who backs up may open what the envelope key seals. All of it outlives the stack.
 */
export class IdentitiesSecrets extends Construct {
  /** Undefined where no node has identities that are captured here. */
  readonly key: Key | undefined;
  readonly arns: readonly string[];

  constructor(scope: Construct, id: string, storage: Storage, captures: CaptureSources) {
    super(scope, id);
    const nodes = Object.keys(captures).filter((node) =>
      Object.values(captures[node] ?? {}).some((source) => 'identities' in source),
    );
    this.key = nodes.length === 0 ? undefined : storage.identitiesKey;
    this.arns = nodes.map((node) => this.#secretOf(storage.network, node).secretArn);
  }

  /** To store candidates, and not to read one back: Decrypt is what PutSecretValue itself needs, and works through nothing else. */
  grantStore(role: Role): void {
    if (this.key === undefined) return;
    allow(role, {
      because: 'It stores fetched identities as a candidate, after it has looked which version is current.',
      actions: ['secretsmanager:PutSecretValue', 'secretsmanager:DescribeSecret'],
      resources: this.arns,
    });
    allow(role, {
      because: 'Secrets Manager seals what it stores on its behalf. Without GetSecretValue it can read no secret back.',
      actions: ['kms:GenerateDataKey', 'kms:Decrypt'],
      resources: [this.key.keyArn],
      conditions: {
        StringEquals: {
          'kms:ViaService': `secretsmanager.${Stack.of(this).region}.amazonaws.com`,
          'kms:EncryptionContext:SecretARN': this.arns,
        },
      },
    });
  }

  grantPromote(role: Role): void {
    allow(role, {
      because: 'It makes current what the receipt of a sealed set names, and can read no version.',
      actions: ['secretsmanager:UpdateSecretVersionStage'],
      resources: this.arns,
    });
  }

  #secretOf(network: string, node: string): Secret {
    const secret = new Secret(this, node, {
      secretName: identitiesSecretName(network, node),
      description: `Identities of ${node}: the newest that a sealed set holds are AWSCURRENT`,
      ...(this.key && { encryptionKey: this.key }),
      // The first version, and no secret. Another text here would become current at the next deployment.
      secretStringValue: SecretValue.unsafePlainText(PLACEHOLDER),
      removalPolicy: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
    });
    const reason = 'Each run stores a version; the keys in it are rotated on the ledger, not by Secrets Manager.';
    Validations.of(secret).acknowledge({ id: 'AwsSolutions-SMG4', reason });
    return secret;
  }
}
