import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { VaultLocation } from '../config/schema.ts';
import type { Vault, VaultJanitor } from '../core/vault.ts';
import { folderJanitor, folderVault } from '../local/folder-vault.ts';
import { type Loaded, loadConfig } from './context.ts';
import type { Shell } from './shell.ts';
import { UsageError } from './usage-error.ts';

/** For verbs that can do without a config: a stranger's door. */
export interface VaultFlag {
  readonly vault?: string;
}

export const VAULT_OPTION = ['--vault <url>', 'a path, file:///… or s3://bucket/prefix, instead of a config'] as const;

/** The vault that `--vault` names, else the config's. */
export async function vaultMeant(shell: Shell, { vault }: VaultFlag): Promise<Vault> {
  if (vault !== undefined) return openVault(locationOf(vault, shell.cwd), (path) => path);
  const { config, path } = await loadConfig(shell);
  return openVault(config.vault, path);
}

/** Opens a vault without a call: whether it can be reached shows at the first one. */
export async function openVault(location: VaultLocation, path: (relative: string) => string): Promise<Vault> {
  if (location.folder !== undefined) return folderVault(path(location.folder));
  const { openS3Vault } = await import('../aws/open.ts');
  return openS3Vault(location.s3);
}

/** A plan's own vault; the config knows more of how to reach it if it is the same. */
export async function vaultOfPlan(
  { cwd }: Pick<Shell, 'cwd'>,
  { config, path }: Loaded,
  plan: { readonly vault: string },
): Promise<Vault> {
  const configured = await openVault(config.vault, path);
  return configured.url === plan.vault ? configured : openVault(locationOf(plan.vault, cwd), (each) => each);
}

/** The right to delete in it: for retention alone. */
export async function openJanitor(location: VaultLocation, path: (relative: string) => string): Promise<VaultJanitor> {
  if (location.folder !== undefined) return folderJanitor(path(location.folder));
  const { openS3Janitor } = await import('../aws/open.ts');
  return openS3Janitor(location.s3);
}

/** What a person types for a vault: a path, `file:///…`, or `s3://bucket/prefix?region=…&endpoint=…`. */
export function locationOf(text: string, cwd: string): VaultLocation {
  if (!/^[a-z0-9]+:\/\//i.test(text)) return { folder: resolve(cwd, text) };
  const url = URL.parse(text);
  if (url?.protocol === 'file:' && url.host === '') return { folder: fileURLToPath(url) };
  if (url?.protocol !== 's3:' || url.hostname === '') {
    throw new UsageError(`"${text}" is not the address of a vault`, 'Give a path, file:///… or s3://bucket/prefix.');
  }
  const { region, endpoint } = Object.fromEntries(url.searchParams);
  const prefix = decodeURIComponent(url.pathname.replace(/^\//, ''));
  return {
    s3: {
      bucket: url.hostname,
      ...(prefix === '' ? {} : { prefix }),
      ...(region === undefined ? {} : { region }),
      ...(endpoint === undefined ? {} : { endpoint, pathStyle: true }),
    },
  };
}
