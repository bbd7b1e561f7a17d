import { s3Client } from '../aws/s3-client.ts';
import { s3Vault } from '../aws/s3-vault.ts';
import type { LeasePorts } from '../vault/leases.ts';

/** The vault of a deployed step, and the lease's view of the world: nobody's process can be looked at from here. */
export function vaultPorts(
  env: Readonly<Record<'VAULT_BUCKET' | 'VAULT_PREFIX' | 'VAULT_ACCOUNT', string>>,
): LeasePorts {
  const { VAULT_BUCKET: bucket, VAULT_PREFIX: prefix, VAULT_ACCOUNT: account } = env;
  return {
    vault: s3Vault({ client: s3Client({}), bucket, prefix, account }),
    clock: { now: () => new Date() },
    holderGone: () => false,
  };
}
