import { hostname, userInfo } from 'node:os';
import { withoutSecrets } from '../../config/secrets.ts';
import type { RestorePlan } from '../../core/restore-plan.ts';
import type { PostgresSource } from '../../io/postgres/connection.ts';
import { type ApplyOptions, applyPlan } from '../../local/restore-apply.ts';
import { previewPlan } from '../../local/restore-preview.ts';
import { previewSnapshots, rdsTargets, restoreSnapshots } from '../../local/restore-snapshots.ts';
import { undoPlan } from '../../local/restore-undo.ts';
import { protocolNamed } from '../../protocols/registry.ts';
import { type Loaded, loadConfig, nodeNamed } from '../context.ts';
import { holding } from '../holding.ts';
import { type PreparedNode, prepareNode } from '../nodes.ts';
import { readPlan } from '../plan-file.ts';
import { appliedText, previewText, undoneText } from '../render/restore.ts';
import { restoreProgress } from '../render/restore-progress.ts';
import { copiesText, restoredCopiesText } from '../render/restore-rds.ts';
import { copiesFor, snapshotPorts } from '../restore-rds.ts';
import type { Outcome, Shell } from '../shell.ts';
import { decryptionMeant, publicKeysMeant } from '../trust.ts';
import { UsageError } from '../usage-error.ts';
import { vaultOfPlan } from '../vaults.ts';
import { type ChainApplyFlags, restoreChainApply } from './restore-chain-apply.ts';

export interface ApplyFlags extends ChainApplyFlags {
  readonly fenced?: boolean;
  readonly dryRun?: boolean;
  readonly undo?: boolean;
  readonly identity?: string;
}

export async function restoreApply(shell: Shell, flags: ApplyFlags, [file = '']: readonly string[]): Promise<Outcome> {
  const plan = await readPlan(shell.cwd, file);
  if (plan.format === 'ledgerhold/chain-restore-plan/1') return restoreChainApply(shell, flags, plan);
  if (plan.components.every(({ target }) => target.kind === 'file')) {
    throw new UsageError(
      'the plan restores no database: it was made without the config',
      'Make one with it, or get the files.',
    );
  }
  const world = await worldOf(shell, plan, flags);
  if (rdsTargets(plan).length > 0) return applySnapshots(shell, plan, flags, world);
  return applyDatabases(shell, plan, flags, world.options);
}

async function applyDatabases(
  shell: Shell,
  plan: RestorePlan,
  flags: ApplyFlags,
  options: ApplyOptions,
): Promise<Outcome> {
  if (flags.dryRun === true) {
    const previews = await previewPlan(plan, options);
    return { exit: 0, code: 'PREVIEWED', nouns: { plan, databases: previews }, text: previewText(plan, previews) };
  }
  if (flags.undo === true) {
    const undone = await undoPlan(plan, options);
    return { exit: 0, code: 'UNDONE', nouns: { set: plan.set, databases: undone }, text: undoneText(plan, undone) };
  }
  const progress = await restoreProgress(shell, plan);
  try {
    const applied = await holding(shell, options.vault, plan, 'restore', () =>
      applyPlan(plan, { ...options, onStep: progress.tell }),
    );
    const { loses, after, deployment } = plan;
    const nouns = { set: plan.set, databases: applied, start: deployment.start, loses, after };
    return { exit: 0, code: 'RESTORED', nouns, text: appliedText(plan, applied) };
  } finally {
    await progress.close();
  }
}

/** Snapshots first: nothing that a node opens is touched by them. Then what was dumped, if the set has any of it. */
async function applySnapshots(
  shell: Shell,
  plan: RestorePlan,
  flags: ApplyFlags,
  { loaded, prepared, options }: World,
): Promise<Outcome> {
  if (flags.undo === true) throw nothingToUndo(plan);
  const { onStep: _, ...proof } = options;
  const ports = { ...proof, copies: await copiesFor(plan), ...snapshotPorts(shell, loaded, prepared) };
  const dumped = plan.components.some(({ target }) => target.kind === 'database');
  if (flags.dryRun === true) {
    const copies = await previewSnapshots(plan, ports);
    const databases = dumped ? await previewPlan(plan, options) : [];
    const text = [...copiesText(plan, copies), ...(dumped ? previewText(plan, databases) : [])];
    return { exit: 0, code: 'PREVIEWED', nouns: { plan, copies, databases }, text };
  }
  const told = new Map<string, string>();
  const onStep = (component: string, text: string) => {
    if (told.get(component) !== text) shell.note(`${component}: ${text}`);
    told.set(component, text);
  };
  const { copies, unasked, databases } = await holding(shell, options.vault, plan, 'restore', async () => {
    const { readings, ...restored } = await restoreSnapshots(plan, { ...ports, onStep });
    return { ...restored, databases: dumped ? await applyPlan(plan, { ...options, readings }) : [] };
  });
  const { loses, after, deployment } = plan;
  const nouns = { set: plan.set, copies, positionsUnknown: unasked, databases, start: deployment.start, loses, after };
  const text = [...restoredCopiesText(plan, copies, unasked), ...(dumped ? appliedText(plan, databases) : [])];
  // What nobody asked is not known to be right: never 0.
  return unasked.length === 0
    ? { exit: 0, code: 'RESTORED', nouns, text }
    : { exit: 3, code: 'RESTORED_UNCHECKED', nouns, text };
}

/** Nothing was replaced: the old instances are as they were, and deleting is a person's. */
const nothingToUndo = (plan: RestorePlan): UsageError =>
  new UsageError(
    'a restore of snapshots replaces nothing, so that there is nothing to take back',
    `Go on using the old endpoints, and delete what was made: ${rdsTargets(plan)
      .map(([, { beside }]) => beside)
      .join(', ')}.`,
  );

interface World {
  readonly loaded: Loaded;
  readonly prepared: PreparedNode;
  readonly options: ApplyOptions;
}

async function worldOf(shell: Shell, plan: RestorePlan, flags: ApplyFlags): Promise<World> {
  const loaded = await loadConfig(shell);
  if (loaded.config.network !== plan.network) {
    const remedy = 'Name the config of that network with --config.';
    throw new UsageError(`the plan is of network ${plan.network}, the config of ${loaded.config.network}`, remedy);
  }
  const prepared = await prepareNode(loaded, nodeNamed(loaded.config, plan.node));
  const decrypt = await decryptionMeant(shell, flags.identity);
  const options = {
    vault: await vaultOfPlan(shell, loaded, plan),
    publicKeys: await publicKeysMeant(shell, flags),
    protocolNamed,
    source: (component: string) => databaseOf(component, prepared.databases),
    environment: withoutSecrets(shell.env, loaded.config),
    ...{ clock: shell.clock, signal: shell.signal },
    ...(decrypt === undefined ? {} : { decrypt }),
    ...(flags.fenced === true ? { fencedBy: `${userInfo().username} on ${hostname()}` } : {}),
  };
  return { loaded, prepared, options };
}

function databaseOf(component: string, databases: ReadonlyMap<string, PostgresSource>): PostgresSource {
  const source = databases.get(component);
  if (source !== undefined) return source;
  throw new UsageError(`the config has no component ${component}, which the plan restores`, 'Make a new plan.');
}
