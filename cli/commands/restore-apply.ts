import { hostname, userInfo } from 'node:os';
import { withoutSecrets } from '../../config/secrets.ts';
import type { RestorePlan } from '../../core/restore-plan.ts';
import type { Vault } from '../../core/vault.ts';
import type { PostgresSource } from '../../io/postgres/connection.ts';
import { type ApplyOptions, applyPlan } from '../../local/restore-apply.ts';
import { previewPlan } from '../../local/restore-preview.ts';
import { undoPlan } from '../../local/restore-undo.ts';
import { protocolNamed } from '../../protocols/registry.ts';
import { type Loaded, loadConfig, nodeNamed } from '../context.ts';
import { prepareNode } from '../nodes.ts';
import { readPlan } from '../plan-file.ts';
import { appliedText, previewText, undoneText } from '../render/restore.ts';
import { restoreProgress } from '../render/restore-progress.ts';
import type { Outcome, Shell } from '../shell.ts';
import { decryptionMeant, publicKeysMeant, type TrustFlags } from '../trust.ts';
import { UsageError } from '../usage-error.ts';
import { locationOf, openVault } from '../vaults.ts';

export interface ApplyFlags extends TrustFlags {
  readonly fenced?: boolean;
  readonly dryRun?: boolean;
  readonly undo?: boolean;
  readonly identity?: string;
}

export async function restoreApply(shell: Shell, flags: ApplyFlags, [file = '']: readonly string[]): Promise<Outcome> {
  const plan = await readPlan(shell.cwd, file);
  if (!plan.components.some(({ target }) => target.kind === 'database')) {
    throw new UsageError(
      'the plan restores no database: it was made without the config',
      'Make one with it, or get the files.',
    );
  }
  const options = await optionsFor(shell, plan, flags);
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
    const applied = await applyPlan(plan, { ...options, onStep: progress.tell });
    const { loses, after, deployment } = plan;
    const nouns = { set: plan.set, databases: applied, start: deployment.start, loses, after };
    return { exit: 0, code: 'RESTORED', nouns, text: appliedText(plan, applied) };
  } finally {
    await progress.close();
  }
}

async function optionsFor(shell: Shell, plan: RestorePlan, flags: ApplyFlags): Promise<ApplyOptions> {
  const loaded = await loadConfig(shell);
  if (loaded.config.network !== plan.network) {
    const remedy = 'Name the config of that network with --config.';
    throw new UsageError(`the plan is of network ${plan.network}, the config of ${loaded.config.network}`, remedy);
  }
  const { databases } = await prepareNode(loaded, nodeNamed(loaded.config, plan.node));
  const decrypt = await decryptionMeant(shell, flags.identity);
  return {
    vault: await vaultOf(shell, loaded, plan),
    publicKeys: await publicKeysMeant(shell, flags),
    protocolNamed,
    source: (component) => databaseOf(component, databases),
    environment: withoutSecrets(shell.env, loaded.config),
    ...{ clock: shell.clock, signal: shell.signal },
    ...(decrypt === undefined ? {} : { decrypt }),
    ...(flags.fenced === true ? { fencedBy: `${userInfo().username} on ${hostname()}` } : {}),
  };
}

/** The plan's own vault; the config knows more of how to reach it if it is the same. */
async function vaultOf({ cwd }: Shell, { config, path }: Loaded, plan: RestorePlan): Promise<Vault> {
  const configured = await openVault(config.vault, path);
  return configured.url === plan.vault ? configured : openVault(locationOf(plan.vault, cwd), (each) => each);
}

function databaseOf(component: string, databases: ReadonlyMap<string, PostgresSource>): PostgresSource {
  const source = databases.get(component);
  if (source !== undefined) return source;
  throw new UsageError(`the config has no component ${component}, which the plan restores`, 'Make a new plan.');
}
