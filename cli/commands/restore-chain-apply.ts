import { resolve } from 'node:path';
import { withoutSecrets } from '../../config/secrets.ts';
import type { ChainRestorePlan } from '../../core/chain-restore-plan.ts';
import { applyChainPlan, checkChainPlan } from '../apply-chain-plan.ts';
import { type ClientFlags, genesisMeant } from '../chain-settings.ts';
import { loadedIfThere } from '../context.ts';
import { chainAppliedText, chainPreviewText } from '../render/chain-restore.ts';
import type { Outcome, Shell } from '../shell.ts';
import { publicKeysMeant, type TrustFlags } from '../trust.ts';
import { UsageError } from '../usage-error.ts';
import { locationOf, openVault, vaultOfPlan } from '../vaults.ts';

export interface ChainApplyFlags extends TrustFlags, ClientFlags {
  /** The data directory. */
  readonly to?: string;
  readonly dryRun?: boolean;
  readonly undo?: boolean;
}

/** Imports the plan's blocks into a new data directory by the client that is at hand. */
export async function restoreChainApply(
  shell: Shell,
  flags: ChainApplyFlags,
  plan: ChainRestorePlan,
): Promise<Outcome> {
  if (flags.to === undefined) {
    throw new UsageError(
      'the plan restores a chain, and nobody says where to',
      'Name a new data directory: --to FOLDER.',
    );
  }
  if (flags.undo === true) {
    throw new UsageError(
      'a chain is restored beside everything else: there is nothing to take back',
      'Remove its folder.',
    );
  }
  const datadir = resolve(shell.cwd, flags.to);
  const loaded = await loadedIfThere(shell);
  const genesis = flags.genesis === undefined ? plan.genesis : resolve(shell.cwd, flags.genesis);
  const binary = flags.binary ?? plan.binary ?? 'geth';
  const options = {
    vault:
      loaded === undefined
        ? await openVault(locationOf(plan.vault, shell.cwd), (each) => each)
        : await vaultOfPlan(shell, loaded, plan),
    publicKeys: await publicKeysMeant(shell, flags),
    places: { datadir, binary, genesis: genesisMeant({ genesis }), args: plan.args },
    environment: loaded === undefined ? shell.env : withoutSecrets(shell.env, loaded.config),
    ...{ signal: shell.signal, onStep: shell.note },
  };
  if (flags.dryRun === true) {
    await checkChainPlan(plan, options);
    return { exit: 0, code: 'PREVIEWED', nouns: { plan, datadir }, text: chainPreviewText(plan, datadir) };
  }
  const head = await applyChainPlan(plan, options);
  const { notInFiles, after } = plan;
  const nouns = { set: plan.set, datadir, head, notInFiles, after };
  return { exit: 0, code: 'RESTORED', nouns, text: chainAppliedText(plan, datadir, head) };
}
