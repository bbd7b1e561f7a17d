import { lockBy } from '../aws/object-lock.ts';
import type { S3VaultOptions } from '../aws/s3-bucket.ts';
import { s3Client } from '../aws/s3-client.ts';
import { s3Vault } from '../aws/s3-vault.ts';
import { LockPolicy } from '../core/object-lock.ts';
import type { LeasePorts } from '../vault/leases.ts';

/** `VAULT_LOCK`: how objects are locked, as JSON; steps that write nothing but leases have none. */
type VaultEnv = Readonly<Record<'VAULT_BUCKET' | 'VAULT_PREFIX' | 'VAULT_ACCOUNT', string>> & {
  readonly VAULT_LOCK?: string;
};

const clock = { now: () => new Date() };

/** Where a deployed step's vault is. */
export const vaultOptions = ({ VAULT_BUCKET, VAULT_PREFIX, VAULT_ACCOUNT, VAULT_LOCK }: VaultEnv): S3VaultOptions => ({
  client: s3Client({}),
  ...{ bucket: VAULT_BUCKET, prefix: VAULT_PREFIX, account: VAULT_ACCOUNT },
  ...(VAULT_LOCK !== undefined && { lockFor: lockBy(LockPolicy.parse(JSON.parse(VAULT_LOCK)), clock) }),
});

/** The vault of a deployed step, and the lease's view of the world: nobody's process can be looked at from here. */
export const vaultPorts = (env: VaultEnv): LeasePorts => ({
  ...{ vault: s3Vault(vaultOptions(env)), clock },
  holderGone: () => false,
});
