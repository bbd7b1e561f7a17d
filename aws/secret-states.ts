import { DescribeSecretCommand, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { callSecrets } from './secrets-errors.ts';

/** What a secret's description says; its value is never asked for. */
export interface SecretState {
  /** Why nobody can use it; undefined if somebody can. */
  readonly fault?: string;
  /** The version that applications read. */
  readonly current?: string;
}

/** Rejects with `SecretUnusable` if it may not be described, or with `SecretsUnavailable`. */
export async function secretState(client: SecretsManagerClient, id: string): Promise<SecretState> {
  const call = () => client.send(new DescribeSecretCommand({ SecretId: id }));
  const found = await callSecrets(id, call, 'ResourceNotFoundException');
  if (found === undefined) return { fault: 'it does not exist' };
  if (found.DeletedDate !== undefined) return { fault: `it is being deleted since ${found.DeletedDate.toISOString()}` };
  const versions = Object.entries(found.VersionIdsToStages ?? {});
  const current = versions.find(([, stages]) => stages.includes('AWSCURRENT'))?.[0];
  return current === undefined ? { fault: 'none of its versions is AWSCURRENT' } : { current };
}
