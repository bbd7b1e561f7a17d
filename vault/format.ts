import * as z from 'zod';
import { LedgerholdError } from '../core/errors.ts';
import { NetworkName } from '../core/names.ts';
import type { Vault } from '../core/vault.ts';
import { putDocument, readDocument } from './documents.ts';
import { FORMAT_KEY } from './layout.ts';

/** The first object in a vault: which version of the layout it has, and whose it is. */
export const VaultFormat = z.strictObject({ format: z.literal('ledgerhold/vault/1'), network: NetworkName });

/** Another network's sets lie in this vault. */
export class ForeignVault extends LedgerholdError {
  override readonly name = 'ForeignVault';
  readonly kind = 'usage';
}

/** Undefined: nothing has been stored here yet. Rejects with `UnknownFormat` for a layout of another version. */
export const readVaultFormat = async (vault: Vault): Promise<z.infer<typeof VaultFormat> | undefined> =>
  (await readDocument(vault, FORMAT_KEY, VaultFormat))?.value;

/** Makes an empty vault ours, and refuses one that holds another network. */
export async function claimVaultFormat(vault: Vault, network: NetworkName): Promise<void> {
  const format = await readVaultFormat(vault);
  if (format === undefined) {
    const { won } = await putDocument(vault, FORMAT_KEY, { format: 'ledgerhold/vault/1', network });
    return won ? undefined : claimVaultFormat(vault, network);
  }
  if (format.network === network) return;
  throw new ForeignVault(
    `the vault ${vault.url} belongs to network ${format.network}, not ${network}`,
    'Give each network a vault of its own, or correct `network` in the configuration.',
  );
}
