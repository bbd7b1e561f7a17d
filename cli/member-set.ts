import { isChainNode } from '../config/order.ts';
import { isDue } from '../core/members.ts';
import { actOn } from '../vault/members.ts';
import { chainsKnown } from '../vault/sets.ts';
import { loadConfig } from './context.ts';
import { deployedDelivery } from './deployed-delivery.ts';
import { told } from './member-acts.ts';
import { memberNamed, type OpenRegistry, openRegistry } from './members.ts';
import type { Outcome, Shell } from './shell.ts';
import { UsageError } from './usage-error.ts';

export interface SetFlags {
  readonly target?: boolean;
  readonly chains?: string[];
  readonly allChains?: boolean;
  readonly chainFiles?: boolean;
}

/** What a member may say of itself by the API. A deployed delivery is started for what the member lacks then. */
export async function membersSet(shell: Shell, asked: SetFlags, [id = '']: readonly string[]): Promise<Outcome> {
  const { target, chainFiles, chains = asked.allChains === true ? null : undefined } = asked;
  if (target === undefined && chains === undefined && chainFiles === undefined) {
    const remedy = 'Give --target, --no-target, --chains, --all-chains, --chain-files or --no-chain-files.';
    throw new UsageError('nothing is said that is to be set', remedy);
  }
  const registry = await openRegistry(shell, await loadConfig(shell));
  const { member } = await memberNamed(registry, id);
  await refuseUnknownChains(registry, chains ?? []);
  const act = {
    what: 'set',
    ...(target !== undefined && { environmentBackupTarget: target }),
    ...(chains !== undefined && { chains }),
    ...(chainFiles !== undefined && { chainFiles }),
  } as const;
  const set = (await actOn(registry, member, act)).value;
  const deployed = await deployedDelivery(registry);
  if (isDue(set, registry.clock.now()) && deployed?.serves(set) === true) await deployed.start(set);
  return told(registry, set);
}

/** Rejects with `UsageError`. */
async function refuseUnknownChains({ vault, loaded }: OpenRegistry, wanted: readonly string[]): Promise<void> {
  const configured = loaded.config.nodes.filter(isChainNode).map(({ name }) => name);
  const known = await chainsKnown(vault, configured);
  const unknown = wanted.find((name) => !known.includes(name));
  if (unknown === undefined) return;
  const remedy = `Name some of: ${known.join(', ') || 'there is none'}.`;
  throw new UsageError(`the network has no chain ${unknown}`, remedy);
}
