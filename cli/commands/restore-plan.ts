import { resolve } from 'node:path';
import { ACCEPTABLE } from '../../core/choose-set.ts';
import { deploymentSteps } from '../../core/deployments.ts';
import { Instant } from '../../core/names.ts';
import { type PlanInput, type PlannedTarget, planRestore, type RestorePlan } from '../../core/restore-plan.ts';
import { SNAPSHOT_CONTENT } from '../../core/snapshots.ts';
import type { Vault } from '../../core/vault.ts';
import { sha256 } from '../../io/digest.ts';
import { connectionOf } from '../../io/postgres/connection.ts';
import { serverName } from '../../local/restore-places.ts';
import { protocolNamed } from '../../protocols/registry.ts';
import { findSet } from '../../vault/sets.ts';
import { readSnapshotReference } from '../../vault/snapshot-reference.ts';
import { type ProvedSet, proveOne } from '../../vault/sound-set.ts';
import { chainMeant } from '../chain-settings.ts';
import { type Loaded, loadConfig, loadedIfThere, nodeNamed } from '../context.ts';
import { type PreparedNode, prepareNode } from '../nodes.ts';
import { writePlan } from '../plan-file.ts';
import { planNouns, planText } from '../render/restore.ts';
import { type Chosen, chooseFrom, nodeMeant } from '../restore-sets.ts';
import type { Outcome, Shell } from '../shell.ts';
import { publicKeysMeant } from '../trust.ts';
import { UsageError } from '../usage-error.ts';
import { vaultMeant } from '../vaults.ts';
import { type ChainPlanFlags, restoreChainPlan } from './restore-chain-plan.ts';

export interface PlanFlags extends ChainPlanFlags {
  readonly set?: string;
  readonly to?: string;
  readonly only?: string;
  readonly node?: string;
  readonly full?: boolean;
}

/** Reads the vault and the config; calls no database. The plan is written to a file, and shown. */
export async function restorePlan(shell: Shell, flags: PlanFlags): Promise<Outcome> {
  const now = shell.clock.now();
  const vault = await vaultMeant(shell, flags);
  const loaded = await configOf(shell, flags);
  const chain = flags.set === undefined ? await chainMeant(vault, flags.node) : undefined;
  if (chain !== undefined) {
    if (flags.to !== undefined || flags.only !== undefined) throw wholeChain(chain);
    return restoreChainPlan(shell, flags, chain, vault, loaded);
  }
  const prove = { vault, publicKeys: await publicKeysMeant(shell, flags), protocolNamed, signal: shell.signal };
  const to = flags.to === undefined ? {} : { to: timeOf(flags.to) };
  const set = flags.set === undefined ? undefined : (await findSet(vault, flags.set, flags.node)).id;
  const name = set?.split('/')[0] ?? (await nodeMeant(vault, flags.node));
  const wish = { accept: flags.accept ?? [], ...to, ...(set === undefined ? {} : { set }) };
  const full = flags.full === true;
  const choice = await chooseFrom(name, wish, now, { ...prove, full, note: shell.note });
  const plan = await planOf(choice, await proveOne(name, choice.chosen.seq, prove), loaded, flags, now, vault);
  const file = flags.out ?? `restore-${plan.node}-${plan.seq}.json`;
  await writePlan(resolve(shell.cwd, file), plan);
  const told = { plan, file, passedOver: choice.passedOver, full, now };
  return { exit: 0, code: 'PLANNED', nouns: planNouns(told), text: planText(told) };
}

const wholeChain = (node: string): UsageError =>
  new UsageError(
    `${node} is a chain, and is restored from genesis to its newest block`,
    'Leave out --to and --only; the peers would bring newer blocks back in any case.',
  );

async function planOf(
  { accepted }: Chosen,
  set: ProvedSet,
  loaded: Loaded | undefined,
  { only, vault: stranger }: PlanFlags,
  now: Date,
  source: Vault,
): Promise<RestorePlan> {
  const { artifacts } = set.proof;
  const { network, node: name } = set.manifest.value;
  const known = loaded !== undefined && (stranger === undefined || loaded.config.network === network);
  const node = known ? await prepareNode(loaded, nodeNamed(loaded.config, name)) : undefined;
  return planRestore({
    createdAt: Instant.parse(now.toISOString()),
    ...{ vault: source.url, manifest: set.manifest, digest: sha256 },
    artifacts: Object.fromEntries(artifacts.map(({ component, artifact }) => [component, artifact])),
    targets: await targetsOf(set, node, source),
    accepted: accepted.flatMap(({ hazard, why }) => {
      const acceptable = ACCEPTABLE.find((each) => each === hazard);
      return acceptable === undefined ? [] : [{ hazard: acceptable, why }];
    }),
    deployment: deploymentSteps(node?.node.deployment),
    protocol: protocolNamed(set.manifest.value.protocol),
    ...(only === undefined ? {} : { only }),
  });
}

/** Undefined for a stranger, who names a vault and has no config. */
const configOf = (shell: Shell, { vault }: PlanFlags): Promise<Loaded | undefined> =>
  vault === undefined ? loadConfig(shell) : loadedIfThere(shell);

/** Snapshots and the databases that the node opens, as the config has them; a stranger without it gets dumps as files. */
async function targetsOf(
  { proof, report }: ProvedSet,
  node: PreparedNode | undefined,
  vault: Vault,
): Promise<PlanInput['targets']> {
  const targets: Record<string, PlannedTarget> = {};
  for (const { component, artifact } of proof.artifacts) {
    const source = node?.databases.get(component);
    if (artifact.content === SNAPSHOT_CONTENT) {
      targets[component] = { snapshot: await readSnapshotReference(vault, artifact) };
    } else if (source !== undefined) {
      targets[component] = { server: serverName(source), database: connectionOf(source).database };
    } else {
      targets[component] = {
        how: `ledgerhold restore --only ${component} --set ${report.set} --to FILE --identity IDENTITY`,
      };
    }
  }
  return targets;
}

function timeOf(text: string): Date {
  const time = new Date(text);
  if (!Number.isNaN(time.getTime())) return time;
  throw new UsageError(`"${text}" is no time`, 'Write it as 2026-11-21T08:00:00Z.');
}
