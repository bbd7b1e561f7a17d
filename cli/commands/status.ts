import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import { everySecondsOf, initialSettings } from '../../config/every.ts';
import { runsOnAws } from '../../config/from-aws.ts';
import type { NodeConfig } from '../../config/nodes.ts';
import { isDatabaseNode } from '../../config/order.ts';
import { payloadNodes } from '../../config/payloads.ts';
import { everySecondsOf as settingsEvery } from '../../core/chain-settings.ts';
import type { Vault } from '../../core/vault.ts';
import { currentSettings } from '../../vault/settings.ts';
import { chainStandingOf } from '../chain-standing.ts';
import { type Loaded, loadConfig } from '../context.ts';
import { executionsOfAll } from '../deployment.ts';
import { askedOr, inProgressOf, type Live, liveExecutions, withoutGone } from '../in-progress.ts';
import { lookAtMembers } from '../member-look.ts';
import { type ChainStatus, chainStatusNouns, chainStatusText } from '../render/chain-status.ts';
import { memberBrief, memberStatusNouns, unreadableNouns, unreadableText } from '../render/members.ts';
import { type NodeStatus, overdue, statusNouns, statusText } from '../render/status.ts';
import type { Act, Outcome, Shell } from '../shell.ts';
import { standingOf } from '../standing.ts';
import { openVault } from '../vaults.ts';

interface Options {
  readonly watch?: boolean;
}

/** Often enough to follow a run, seldom enough for a bucket that bills each request. */
const WATCH_EVERY_MS = 5000;

export function define(command: Command, act: Act): void {
  command.option('--watch', 'again every 5 seconds until Ctrl-C').action(act<Options>(status));
}

export async function status(shell: Shell, { watch }: Options): Promise<Outcome> {
  const loaded = await loadConfig(shell);
  for (;;) {
    const outcome = await statusNow(shell, loaded);
    if (watch !== true) return outcome;
    shell.redraw(outcome.text);
    await sleep(WATCH_EVERY_MS, undefined, { signal: shell.signal });
  }
}

async function statusNow({ clock }: Shell, { config, path }: Loaded): Promise<Outcome> {
  const vault = await openVault(config.vault, path);
  const now = clock.now();
  const deployed = config.nodes.filter((node) => runsOnAws(config, node)).map(({ name }) => name);
  const all = deployed.length === 0 ? [] : await executionsOfAll(config, deployed);
  // Any of them can be asked about an execution: its id says whose it is.
  const [executions] = all;
  const live = executions && (await askedOr<Live | undefined>(() => liveExecutions(all), undefined));
  const nodes: NodeStatus[] = [];
  for (const node of [...config.nodes.filter(isDatabaseNode), ...payloadNodes(config)]) {
    const everySeconds = everySecondsOf(node);
    const found = await standingOf(vault, node.name, now);
    const standing = live?.answer === undefined ? found : withoutGone(found, live.answer);
    const asked = await askedOr(
      () => inProgressOf(vault, standing, live?.answer ?? [], executions),
      await inProgressOf(vault, standing, [], undefined),
    );
    const unasked = live?.unasked ?? asked.unasked;
    nodes.push({
      ...{ ...standing, everySeconds, enabled: node.enabled, inProgress: asked.answer },
      ...(unasked !== undefined && { unasked }),
    });
  }
  const chains = await Promise.all(config.nodes.flatMap((node) => chainStatusOf(vault, node, now)));
  const { statuses: standings, unreadable, lost } = await lookAtMembers(vault);
  const told = [...nodes, ...chains];
  const late = told.some((node) => overdue(node, now));
  const age = told.every(({ last }) => last === undefined) ? 'NO_SETS' : late ? 'OVERDUE' : 'ON_TIME';
  return {
    exit: 0,
    code: unreadable.length + lost.length > 0 || told.some(({ damaged }) => damaged.length > 0) ? 'DAMAGED' : age,
    nouns: {
      ...{ network: config.network, vault: vault.url, nodes: nodes.map((node) => statusNouns(node, now)) },
      chains: chains.map((chain) => chainStatusNouns(chain, now)),
      members: [...standings.map(memberStatusNouns), ...unreadable.map(unreadableNouns)],
    },
    text: [
      ...statusText(config.network, vault.url, nodes, now),
      ...chains.flatMap((chain) => ['', ...chainStatusText(chain, now)]),
      ...standings.flatMap((standing) => ['', ...memberBrief(standing, now)]),
      ...unreadable.flatMap((each) => ['', ...unreadableText(each)]),
      ...lost.flatMap((each) => ['', each]),
    ],
  };
}

/** None for a node that is no chain. */
function chainStatusOf(vault: Vault, node: NodeConfig, now: Date): Promise<ChainStatus>[] {
  if (node.protocol !== 'ethereum') return [];
  const status = async () => {
    const settings = await currentSettings(vault, node.name, initialSettings(node));
    const { enabled } = settings;
    return { ...(await chainStandingOf(vault, node.name, now)), enabled, everySeconds: settingsEvery(settings) };
  };
  return [status()];
}
