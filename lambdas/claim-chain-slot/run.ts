import { type ChainTick, slotOfTick } from '../../core/chain-settings.ts';
import { Fence } from '../../core/names.ts';
import { slotOf } from '../../core/run.ts';
import { slotAt } from '../../core/schedule.ts';
import type { InputOf, OutputOf } from '../../core/step.ts';
import { claimVaultFormat } from '../../vault/format.ts';
import { HISTORY } from '../../vault/history.ts';
import { claim, type LeasePorts } from '../../vault/leases.ts';
import { currentSettings } from '../../vault/settings.ts';
import type { claimChainSlot } from './contract.ts';

export interface ClaimChainPorts extends LeasePorts {
  /** Where a schedule starts runs every hour. Absent: whoever starts one has looked whether it is due. */
  readonly tick?: ChainTick;
}

export async function run(
  { run: asked, holder }: InputOf<typeof claimChainSlot>,
  ports: ClaimChainPorts,
): Promise<OutputOf<typeof claimChainSlot>> {
  const start = { ...asked, slot: slotOf(asked) };
  const due =
    ports.tick === undefined || asked.reason !== 'schedule' ? start.slot : await dueSlot(start, ports.tick, ports);
  if (due === undefined) return { run: start, outcome: 'not-due', fence: Fence.parse(1), seq: 0 };
  const run = { ...start, slot: due };
  await claimVaultFormat(ports.vault, run.network);
  const claimed = await claim(ports, HISTORY, holder, run);
  if (claimed.outcome === 'taken') return { run, outcome: 'taken', fence: Fence.parse(claimed.fence), seq: 0 };
  if (claimed.outcome === 'running') return { run, outcome: 'running', fence: claimed.lease.fence, seq: 0 };
  const { seq, fence } = claimed.manifest.value;
  return { run, outcome: 'sealed', fence, seq };
}

async function dueSlot(
  start: { readonly node: string; readonly slot: string },
  tick: ChainTick,
  { vault }: LeasePorts,
) {
  const settings = await currentSettings(vault, start.node, tick);
  const due = slotOfTick(settings, tick.timeZone, new Date(start.slot));
  return due === undefined ? undefined : slotAt(due);
}
