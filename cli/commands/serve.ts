import type { Command } from 'commander';
import { slotAt } from '../../core/schedule.ts';
import { serve as serveLoop, serveOnce } from '../../local/serve.ts';
import { loadConfig } from '../context.ts';
import { exitCodeOf, worstOf } from '../exit-codes.ts';
import { failureNouns } from '../render/failure.ts';
import { type ServedSlot, servedNouns, servedText } from '../render/serve.ts';
import { served } from '../serve-ports.ts';
import type { Act, Outcome, Shell } from '../shell.ts';

interface Options {
  readonly once?: boolean;
}

export function define(command: Command, act: Act): void {
  command.option('--once', 'do what is due now, once, and end: for cron').action(act<Options>(serve));
}

export async function serve(shell: Shell, { once }: Options): Promise<Outcome> {
  const loaded = await loadConfig(shell);
  const { nodes, ports } = await served(shell, loaded);
  if (once === true) return outcomeOf(await serveOnce(nodes, ports, shell.signal));
  const now = shell.clock.now();
  for (const { name, schedule, expect } of nodes) {
    if (expect !== undefined)
      shell.note(`${name}: ${(await expect(now)).enabled ? 'enabled' : 'not enabled'} (\`ledgerhold nodes\`)`);
    shell.note(`${name}: last due ${slotAt(schedule.last(now))}, next ${slotAt(schedule.next(now))}`);
  }
  return serveLoop(nodes, ports, shell.signal);
}

function outcomeOf(slots: readonly ServedSlot[]): Outcome {
  const errors = slots.flatMap(({ end }) => (end.state === 'failed' ? end.errors : []));
  const unproven = slots.some(
    ({ end }) => end.state === 'done' && end.run.outcome === 'sealed' && end.run.verdict === 'unknown',
  );
  const exit = worstOf([...errors.map(exitCodeOf), ...(unproven ? [3 as const] : [])]);
  // Of several, the one that the exit code is about.
  const [worst] = errors.filter((error) => exitCodeOf(error) === exit);
  return {
    exit,
    code: worst !== undefined ? failureNouns(worst).code : unproven ? 'SEALED_UNPROVEN' : 'SERVED',
    nouns: { ...servedNouns(slots), ...(worst !== undefined && { error: failureNouns(worst).error }) },
    text: servedText(slots),
  };
}
