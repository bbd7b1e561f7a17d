import type { Command } from 'commander';
import { isChainNode } from '../../config/order.ts';
import { type CheckContext, type Finding, findingsOf, ok, warn, weightOf } from '../checks/check.ts';
import { CHECKS } from '../checks/registry.ts';
import { type Loaded, loadConfig, nodesMeant } from '../context.ts';
import { worstOf } from '../exit-codes.ts';
import { type PreparedNode, prepareNode } from '../nodes.ts';
import { doctorNouns, doctorText, type Examined } from '../render/doctor.ts';
import type { Act, Outcome, Shell } from '../shell.ts';
import { decryptionMeant, IDENTITY_OPTION } from '../trust.ts';
import { openVault } from '../vaults.ts';

interface Options {
  readonly node?: string;
  readonly identity?: string;
}

export function define(command: Command, act: Act): void {
  command
    .option('--node <name>', 'this node only')
    .option(...IDENTITY_OPTION)
    .action(act<Options>(doctor));
}

/** Rejects only for a config that cannot be read; everything else is a finding. */
export async function doctor(shell: Shell, { node, identity }: Options): Promise<Outcome> {
  const loaded = await loadConfig(shell);
  const nodes = new Map<string, PreparedNode>();
  const examined: Examined[] = [{ id: 'config', title: 'config', findings: await orderFindings(loaded, node, nodes) }];
  const decrypt = await decryptionMeant(shell, identity);
  const vault = await openVault(loaded.config.vault, loaded.path);
  const chains = nodesMeant(loaded.config, node).filter(isChainNode);
  const context: CheckContext = { shell, loaded, vault, decrypt, nodes: [...nodes.values()], chains };
  for (const { id, title, run } of CHECKS) {
    shell.signal.throwIfAborted();
    shell.note(`checking ${title}`);
    examined.push({ id, title, findings: await findingsOf(() => run(context)) });
  }
  const exit = worstOf(examined.flatMap(({ findings }) => findings.map(weightOf)));
  const code = exit === 0 ? 'HEALTHY' : exit === 3 ? 'UNKNOWN' : 'UNHEALTHY';
  return { exit, code, nouns: doctorNouns(examined), text: doctorText(examined) };
}

async function orderFindings(
  loaded: Loaded,
  name: string | undefined,
  nodes: Map<string, PreparedNode>,
): Promise<Finding[]> {
  const findings: Finding[] = [ok(`${loaded.file} is valid`)];
  const off = name === undefined ? loaded.config.nodes.filter(({ enabled }) => !enabled) : [];
  for (const node of off) {
    const remedy = `\`ledgerhold doctor --node ${node.name}\` looks at it; enabled: true lets its schedule run.`;
    findings.push(warn(`${node.name} is not enabled, and was not looked at`, remedy));
  }
  for (const node of nodesMeant(loaded.config, name).filter((each) => !isChainNode(each))) {
    findings.push(
      ...(await findingsOf(async () => {
        const prepared = await prepareNode(loaded, node);
        nodes.set(node.name, prepared);
        return [ok(`${node.name}: ${prepared.plan.waves.map((wave) => wave.join(' + ')).join(' → ')}`)];
      })),
    );
  }
  return findings;
}
