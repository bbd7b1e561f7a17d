import { type Command, Option } from 'commander';
import { ACCEPTABLE } from '../../core/choose-set.ts';
import { BINARY_OPTION, CLIENT_OPTION, GENESIS_OPTION } from '../chain-settings.ts';
import type { Act } from '../shell.ts';
import { IDENTITY_OPTION, PUBLIC_KEY_OPTION } from '../trust.ts';
import { VAULT_OPTION } from '../vaults.ts';
import { type ApplyFlags, restoreApply } from './restore-apply.ts';
import { type OnlyFlags, restoreOnly } from './restore-only.ts';
import { type PlanFlags, restorePlan } from './restore-plan.ts';

/** What `plan` and `apply` share with `restore` itself is declared here: commander reads it wherever it stands. */
export function define(command: Command, act: Act): void {
  command
    .option('--only <component>', 'this component alone; with plan: where that cannot fork the node')
    .option(
      '--to <file|time|folder>',
      'the file that --only is written to; with plan: sealed no later than this; with apply, of a chain: a new data directory',
    )
    .option('--set <set>', 'node/number, a number, a slot, or latest; default: the newest, with plan: that is good')
    .option('--node <name>', 'where there are several')
    .option(...IDENTITY_OPTION)
    .option(...VAULT_OPTION)
    .option(...PUBLIC_KEY_OPTION)
    .option(...GENESIS_OPTION)
    .option(...BINARY_OPTION)
    .action(act<OnlyFlags>(restoreOnly));
  command
    .command('plan')
    .description('choose a set, and write down what restoring it means and does')
    .option('--out <file>', 'where the plan is written to; never overwrites; default: restore-<node>-<number>.json')
    .addOption(
      new Option('--accept <hazard...>', 'restore the set named with --set although this speaks against it').choices(
        ACCEPTABLE,
      ),
    )
    .option('--full', 'also read every byte of the set first; without it, apply proves them while it restores')
    .addOption(CLIENT_OPTION)
    .option('--datadir <folder>', 'of a chain: what the commands for a restore by hand are to name')
    .action(act<PlanFlags>(restorePlan));
  command
    .command('apply')
    .description('do exactly what a plan says; run again after an interruption, it goes on')
    .argument('<plan>', 'the file that `restore plan` wrote')
    .option('--fenced', 'the node is stopped, on every host where a copy of it may run, and stays so')
    .option('--dry-run', 'check everything, tell what would be done, and change nothing')
    .option('--undo', 'take it back: the old databases get their names again')
    .action(act<ApplyFlags>(restoreApply));
}
