import { Fence } from '../../core/names.ts';
import { slotOf } from '../../core/run.ts';
import type { InputOf, OutputOf } from '../../core/step.ts';
import { claimVaultFormat } from '../../vault/format.ts';
import { HISTORY } from '../../vault/history.ts';
import { claim, type LeasePorts } from '../../vault/leases.ts';
import type { claimChainSlot } from './contract.ts';

export async function run(
  { run: asked, holder }: InputOf<typeof claimChainSlot>,
  ports: LeasePorts,
): Promise<OutputOf<typeof claimChainSlot>> {
  const run = { ...asked, slot: slotOf(asked) };
  await claimVaultFormat(ports.vault, run.network);
  const claimed = await claim(ports, HISTORY, holder, run);
  if (claimed.outcome === 'taken') return { run, outcome: 'taken', fence: Fence.parse(claimed.fence), seq: 0 };
  if (claimed.outcome === 'running') return { run, outcome: 'running', fence: claimed.lease.fence, seq: 0 };
  const { seq, fence } = claimed.manifest.value;
  return { run, outcome: 'sealed', fence, seq };
}
