import { statfs } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';
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

/** Those about one node. `addresses`: of this machine. */
export async function nodeWarnings(
  loaded: Loaded,
  prepared: PreparedNode,
  addresses: readonly string[] = ownAddresses(),
): Promise<string[]> {
  const { vault } = loaded.config;
  const { node } = prepared;
  const auth = node.protocol === 'splice' ? authWarning(identitiesSource(loaded, node).auth) : undefined;
  const isHere = (host: string) => LOOPBACK.test(host) || addresses.includes(host);
  const liesHere = (place: VaultLocation) => isHereToo(place, loaded, isHere);
  const { secondVault } = loaded.config;
  const secondElsewhere = secondVault !== undefined && !(await liesHere(secondVault));
  const together = nodeIsHere(prepared, isHere) && (await liesHere(vault)) && !secondElsewhere;
  const at = vault.folder ?? 'the vault';
  const lost = `${at} lies on the node’s own host: what destroys the one takes both. Move it, or give a secondVault.`;
  return [...(auth === undefined ? [] : [auth]), ...(together ? [lost] : [])];
}

const LOOPBACK = /^(localhost|.*\.localhost|127\.\d+\.\d+\.\d+|::1)$/;

const ownAddresses = (): string[] =>
  Object.values(networkInterfaces()).flatMap((each) => each?.map(({ address }) => address) ?? []);

/** The node's databases are on this machine: at an address of its own, by a socket, or through a local container. */
function nodeIsHere({ databases }: PreparedNode, isHere: (host: string) => boolean): boolean {
  return [...databases.values()].map(connectionOf).some(({ host, via }) => {
    if (via.length > 0) return !REMOTE_COMMANDS.includes(via[0]?.split('/').at(-1) ?? '');
    return host.startsWith('/') || isHere(host);
  });
}

/** Programs that reach another machine; any other command runs here. */
const REMOTE_COMMANDS = ['kubectl', 'ssh', 'oc'];

async function isHereToo(
  { folder, s3 }: VaultLocation,
  { path }: Loaded,
  isHere: (host: string) => boolean,
): Promise<boolean> {
  if (folder !== undefined) return !(await onNetworkMount(path(folder)));
  return isHere(URL.parse(s3?.endpoint ?? '')?.hostname.replace(/^\[(.*)\]$/, '$1') ?? '');
}

/** Magic numbers of Linux (`statfs(2)`): NFS, SMB (three of them), Ceph. */
const NETWORK_FILE_SYSTEMS = new Set([0x6969, 0x517b, 0xff534d42, 0xfe534d42, 0x00c36400]);

/** False where it cannot be told: then one warning too many. */
async function onNetworkMount(folder: string): Promise<boolean> {
  const found = await statfs(folder).catch(() => undefined);
  return found !== undefined && NETWORK_FILE_SYSTEMS.has(found.type);
}
