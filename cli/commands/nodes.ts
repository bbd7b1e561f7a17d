import { type Command, InvalidArgumentError, Option } from 'commander';
import { initialSettings } from '../../config/every.ts';
import type { EthereumNode } from '../../config/nodes.ts';
import { isChainNode } from '../../config/order.ts';
import { ChainSettings } from '../../core/chain-settings.ts';
import type { Vault } from '../../core/vault.ts';
import { claimVaultFormat } from '../../vault/format.ts';
import { readSettings, setChain } from '../../vault/settings.ts';
import { loadConfig } from '../context.ts';
import { whoActs } from '../members.ts';
import type { Act, Outcome, Shell } from '../shell.ts';
import { UsageError } from '../usage-error.ts';
import { openVault } from '../vaults.ts';

interface SetFlags {
  readonly enable?: boolean;
  readonly disable?: boolean;
  readonly timesADay?: ChainSettings['timesADay'];
}

export function define(command: Command, act: Act): void {
  command
    .command('list')
    .description('every chain: enabled or not, times a day, and who set it')
    .action(act(nodesList));
  command
    .command('set')
    .description('set what the vault says of a chain; what is not named stays. It holds from the next slot on')
    .argument('<node>', 'a chain of the configuration')
    .addOption(new Option('--enable', 'its runs are started').conflicts('disable'))
    .option('--disable', 'they are not')
    .option('--times-a-day <n>', '1 to 4', timesADay)
    .action(act<SetFlags>(nodesSet));
}

function timesADay(text: string): ChainSettings['timesADay'] {
  const parsed = ChainSettings.shape.timesADay.safeParse(Number(text));
  if (parsed.success) return parsed.data;
  throw new InvalidArgumentError('it is 1, 2, 3 or 4.');
}

export async function nodesList(shell: Shell): Promise<Outcome> {
  const { config, path } = await loadConfig(shell);
  const vault = await openVault(config.vault, path);
  const chains = await Promise.all(config.nodes.filter(isChainNode).map((node) => nounsOf(vault, node)));
  return {
    exit: 0,
    code: chains.length === 0 ? 'NO_CHAINS' : 'NODES',
    nouns: { vault: vault.url, nodes: chains },
    text: chains.length === 0 ? ['no chain in the configuration'] : chains.map(textOf),
  };
}

export async function nodesSet(shell: Shell, flags: SetFlags, [name = '']: readonly string[]): Promise<Outcome> {
  const { config, path } = await loadConfig(shell);
  const node = config.nodes.filter(isChainNode).find((each) => each.name === name);
  if (node === undefined) {
    const chains = config.nodes.filter(isChainNode).map((each) => each.name);
    throw new UsageError(
      `the configuration has no chain ${name}`,
      `Name one of: ${chains.join(', ') || 'there is none'}.`,
    );
  }
  const enabled = flags.enable === true ? true : flags.disable === true ? false : undefined;
  if (enabled === undefined && flags.timesADay === undefined) {
    throw new UsageError('nothing is said that is to be set', 'Give --enable, --disable or --times-a-day.');
  }
  const vault = await openVault(config.vault, path);
  await claimVaultFormat(vault, config.network);
  const ports = { vault, clock: shell.clock, network: config.network, by: whoActs() };
  await setChain(ports, name, initialSettings(node), { enabled, timesADay: flags.timesADay });
  const nouns = await nounsOf(vault, node);
  return { exit: 0, code: nouns.enabled ? 'ENABLED' : 'DISABLED', nouns: { ...nouns }, text: [textOf(nouns)] };
}

async function nounsOf(vault: Vault, node: EthereumNode) {
  const stored = (await readSettings(vault, node.name))?.value;
  const { enabled, timesADay: times } = stored ?? initialSettings(node);
  const set = { version: stored?.n ?? 0, at: stored?.at ?? null, by: stored?.by ?? null };
  return { node: node.name, enabled, timesADay: times, ...set };
}

function textOf({ node, enabled, timesADay: times, by, at }: Awaited<ReturnType<typeof nounsOf>>): string {
  const who = by === null ? 'as configured' : `set by ${by} at ${at}`;
  return `${node}  ${enabled ? `${times} times a day` : 'not enabled'}, ${who}`;
}
