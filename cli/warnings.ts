import { statfs } from 'node:fs/promises';
import type { VaultLocation } from '../config/schema.ts';
import { authWarning } from '../io/oauth.ts';
import { connectionOf } from '../io/postgres/connection.ts';
import { identitiesSource } from './captures.ts';
import type { Loaded } from './context.ts';
import type { PreparedNode } from './nodes.ts';

/** What `plan` and `backup` tell each time: risks that the config takes, knowingly or not. */
export async function warningsOf(loaded: Loaded, prepared: PreparedNode): Promise<string[]> {
  const clear = 'encryption: none: whoever reads the vault reads the node’s private keys. Give encryption.recipients.';
  return [...(loaded.config.encryption === 'none' ? [clear] : []), ...(await nodeWarnings(loaded, prepared))];
}

/** Those about one node. */
export async function nodeWarnings(loaded: Loaded, prepared: PreparedNode): Promise<string[]> {
  const { vault } = loaded.config;
  const { node } = prepared;
  const auth = node.protocol === 'splice' ? authWarning(identitiesSource(loaded, node).auth) : undefined;
  const together = nodeIsHere(prepared) && (await liesHere(vault, loaded)) && !(await secondLiesElsewhere(loaded));
  const at = vault.folder ?? 'the vault';
  const lost = `${at} lies on the node’s own host: what destroys the one takes both. Move it, or give a secondVault.`;
  return [...(auth === undefined ? [] : [auth]), ...(together ? [lost] : [])];
}

const LOOPBACK = /^(localhost|.*\.localhost|127\.\d+\.\d+\.\d+|::1)$/;

/** The node's databases are on this machine: reached on loopback, by a socket, or through a local container. */
function nodeIsHere({ databases }: PreparedNode): boolean {
  return [...databases.values()].map(connectionOf).some(({ host, via }) => {
    if (via.length > 0) return !REMOTE_COMMANDS.includes(via[0]?.split('/').at(-1) ?? '');
    return host.startsWith('/') || LOOPBACK.test(host);
  });
}

/** Programs that reach another machine; any other command runs here. */
const REMOTE_COMMANDS = ['kubectl', 'ssh', 'oc'];

async function secondLiesElsewhere(loaded: Loaded): Promise<boolean> {
  const { secondVault } = loaded.config;
  return secondVault !== undefined && !(await liesHere(secondVault, loaded));
}

async function liesHere({ folder, s3 }: VaultLocation, { path }: Loaded): Promise<boolean> {
  if (folder !== undefined) return !(await onNetworkMount(path(folder)));
  return LOOPBACK.test(URL.parse(s3?.endpoint ?? '')?.hostname ?? '');
}

/** Magic numbers of Linux (`statfs(2)`): NFS, SMB (three of them), Ceph. */
const NETWORK_FILE_SYSTEMS = new Set([0x6969, 0x517b, 0xff534d42, 0xfe534d42, 0x00c36400]);

/** False where it cannot be told: then one warning too many. */
async function onNetworkMount(folder: string): Promise<boolean> {
  const found = await statfs(folder).catch(() => undefined);
  return found !== undefined && NETWORK_FILE_SYSTEMS.has(found.type);
}
