import { resolve } from 'node:path';
import { Option } from 'commander';
import type { EthereumNode } from '../config/nodes.ts';
import { payloadNodeName } from '../config/payloads.ts';
import type { ChainRecord } from '../core/chain.ts';
import type { Vault } from '../core/vault.ts';
import { CLIENT_COMMANDS } from '../protocols/ethereum/client-commands.ts';
import { CLIENTS, type Client } from '../protocols/ethereum/clients.ts';
import { nodesIn } from '../vault/sets.ts';
import type { Loaded } from './context.ts';
import { UsageError } from './usage-error.ts';

/** What may be said of a client on the command line; each takes the place of what the config says. */
export interface ClientFlags {
  readonly client?: Client;
  readonly binary?: string;
  readonly genesis?: string;
}

export const CLIENT_OPTION = new Option('--client <client>', 'of a chain: what is to hold it').choices(CLIENTS);
export const BINARY_OPTION = [
  '--binary <program>',
  'of a chain: the client’s program; default: as the config says',
] as const;
export const GENESIS_OPTION = ['--genesis <file>', 'of a chain: the genesis that the network began with'] as const;

export interface ClientSettings {
  readonly client: Client;
  /** A path, or a name to be found on PATH. */
  readonly binary: string;
  /** Absolute; undefined where nobody has named it. */
  readonly genesis: string | undefined;
  readonly args: readonly string[];
}

/**
 * The chain that is meant: the node named if it is one, or the vault's only one where it holds no other node's sets.
 * Undefined: sets are meant. Rejects with `UsageError` where there are several.
 */
export async function chainMeant(vault: Vault, named: string | undefined): Promise<string | undefined> {
  const chains = await nodesIn(vault, 'chain');
  if (named !== undefined) return chains.includes(named) ? named : undefined;
  const [only, another] = chains;
  if (only === undefined) return undefined;
  // A chain's payloads are no other node: whoever does not say so means the chain.
  const payloads = chains.map(payloadNodeName);
  if ((await nodesIn(vault)).some((node) => !payloads.includes(node))) return undefined;
  if (another === undefined) return only;
  throw new UsageError('the vault holds several chains', `Name one with --node: ${chains.join(', ')}.`);
}

/** The flags, else the config's node of that name, else what the newest record says, which is only then read. */
export async function clientSettings(
  flags: ClientFlags,
  cwd: string,
  loaded: Loaded | undefined,
  name: string,
  recorded: () => Promise<Pick<ChainRecord, 'client'> | undefined>,
): Promise<ClientSettings> {
  const node = loaded?.config.nodes.find(
    (each): each is EthereumNode => each.protocol === 'ethereum' && each.name === name,
  );
  const client = flags.client ?? node?.client ?? clientNamed((await recorded())?.client);
  if (client === undefined) {
    throw new UsageError(
      `nothing says which client is to hold ${name}`,
      `Name it with --client: ${CLIENTS.join(', ')}.`,
    );
  }
  const { genesis, binary, args = [] } = node?.restore ?? {};
  const configured = genesis === undefined ? undefined : loaded?.path(genesis);
  return {
    client,
    binary:
      placed(flags.binary, (file) => resolve(cwd, file)) ??
      placed(binary, (file) => loaded?.path(file) ?? file) ??
      CLIENT_COMMANDS[client].program,
    genesis: flags.genesis === undefined ? configured : resolve(cwd, flags.genesis),
    args,
  };
}

const clientNamed = (name: string | undefined) => CLIENTS.find((each) => each === name);

/** A name without a folder is one on PATH. */
const placed = (program: string | undefined, path: (file: string) => string): string | undefined =>
  program?.includes('/') === true ? path(program) : program;

/** Rejects with `UsageError`. */
export function genesisMeant({ genesis }: Pick<ClientSettings, 'genesis'>): string {
  if (genesis !== undefined) return genesis;
  throw new UsageError(
    'nothing says where the genesis of the chain is',
    'Name the file that the network began with: --genesis FILE, or the config’s `restore.genesis`.',
  );
}
