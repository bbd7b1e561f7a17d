import type { S3VaultOptions } from '../aws/s3-bucket.ts';
import { s3Client } from '../aws/s3-client.ts';
import { s3Vault } from '../aws/s3-vault.ts';
import type { LeasePorts } from '../vault/leases.ts';

type VaultEnv = Readonly<Record<'VAULT_BUCKET' | 'VAULT_PREFIX' | 'VAULT_ACCOUNT', string>>;

/** Where a deployed step's vault is. */
export const vaultOptions = ({
  VAULT_BUCKET: bucket,
  VAULT_PREFIX: prefix,
  VAULT_ACCOUNT,
}: VaultEnv): S3VaultOptions => ({
  client: s3Client({}),
  ...{ bucket, prefix, account: VAULT_ACCOUNT },
});

/** The vault of a deployed step, and the lease's view of the world: nobody's process can be looked at from here. */
export const vaultPorts = (env: VaultEnv): LeasePorts => ({
  vault: s3Vault(vaultOptions(env)),
  clock: { now: () => new Date() },
  holderGone: () => false,
});
