import { type Command, Option } from 'commander';
import { runsOnAws } from '../../config/from-aws.ts';
import type { AnyNode } from '../../config/nodes.ts';
import { isDatabaseNode } from '../../config/order.ts';
import { payloadNodeOf } from '../../config/payloads.ts';
import { Reason } from '../../core/manifest.ts';
import { slotAt } from '../../core/schedule.ts';
import { unavailableIn } from '../../protocols/splice/scan.ts';
import { backupOnAws } from '../backup-on-aws.ts';
import { outcomeOf } from '../backup-outcome.ts';
import { chainBackup } from '../chain-backup.ts';
import { type Loaded, loadConfig, nodeNamed } from '../context.ts';
import { executionsOf } from '../deployment.ts';
import { prepareNode, slotOf } from '../nodes.ts';
import { captureProgress } from '../render/capture-progress.ts';
import { type BackupRequest, type BackupWorld, runBackup } from '../run-backup.ts';
import type { Act, Outcome, Shell } from '../shell.ts';
import { refuseSnapshots } from '../snapshot-sources.ts';
import { warningsOf } from '../warnings.ts';

interface Options {
  readonly node?: string;
  readonly slot?: string;
  readonly reason: Reason;
}

export function define(command: Command, act: Act): void {
  command
    .option('--node <name>', 'where the config has several')
    .option('--slot <time>', 'the scheduled time, or an id, that the run is for; default: now')
    .addOption(
      new Option('--reason <reason>', 'recorded with the set; all but manual and schedule pin it')
        .choices(Reason.options)
        .default('manual'),
    )
    .action(act<Options>((shell, options) => backup(shell, options)));
}

/** `parts`: what the demo does in another way. */
export async function backup(
  shell: Shell,
  options: Options,
  parts: Pick<BackupWorld, 'dumper'> = {},
): Promise<Outcome> {
  const { clock } = shell;
  const slot = options.slot === undefined ? slotAt(clock.now()) : slotOf(options.slot);
  const loaded = await loadConfig(shell);
  const node = nodeNamed(loaded.config, options.node);
  const request = { slot, reason: options.reason };
  if (node.protocol === 'ethereum') {
    const exported = await chainBackup(shell, loaded, node, request);
    const payloads = payloadNodeOf(node);
    return payloads === undefined
      ? exported
      : withPayloads(exported, await captureSet(shell, loaded, payloads, request, parts));
  }
  if (runsOnAws(loaded.config, node) && isDatabaseNode(node)) {
    const executions = await executionsOf(loaded.config, node.name);
    const result = await backupOnAws(shell, loaded, node, request, executions);
    const { nouns, ...outcome } = outcomeOf(result, unavailableIn(result.manifest.value.facts));
    return { ...outcome, nouns: { ...nouns, execution: result.execution } };
  }
  return captureSet(shell, loaded, node, request, parts);
}

/** The chain's own outcome, with that of what was captured after it. */
const withPayloads = (chain: Outcome, payloads: Outcome): Outcome => ({
  exit: payloads.exit,
  code: chain.code === 'ALREADY_SEALED' || payloads.exit !== 0 ? payloads.code : chain.code,
  nouns: { ...chain.nouns, payloads: payloads.nouns },
  text: [...chain.text, '', ...payloads.text],
});

/** One run over a node's components on this machine. */
async function captureSet(
  shell: Shell,
  loaded: Loaded,
  node: AnyNode,
  request: BackupRequest,
  parts: Pick<BackupWorld, 'dumper'>,
): Promise<Outcome> {
  const { clock, env, signal } = shell;
  const prepared = await prepareNode(loaded, node);
  refuseSnapshots(prepared);
  const warnings = await warningsOf(loaded, prepared);
  for (const warning of warnings) shell.warn(warning);
  const progress = captureProgress(await shell.progress(prepared.plan.waves.flat()));
  try {
    const result = await runBackup(loaded, prepared, request, {
      ...parts,
      clock,
      env,
      signal,
      onCapture: progress.tell,
    });
    await progress.close();
    const untold = result.outcome === 'sealed' ? unavailableIn(result.manifest.value.facts) : [];
    for (const each of untold) shell.warn(`the set is sealed without what Scan was to tell: ${each}`);
    return outcomeOf(result, [...warnings, ...untold]);
  } finally {
    await progress.close();
  }
}
