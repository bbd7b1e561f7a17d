import { Fence, setId } from '../../core/names.ts';
import type { InputOf, OutputOf } from '../../core/step.ts';
import { claimVaultFormat } from '../../vault/format.ts';
import { claim, type LeasePorts } from '../../vault/leases.ts';
import type { claimSlot } from './contract.ts';

export async function run(
  { run, holder }: InputOf<typeof claimSlot>,
  ports: LeasePorts,
): Promise<OutputOf<typeof claimSlot>> {
  await claimVaultFormat(ports.vault, run.network);
  const claimed = await claim(ports, holder, run.node, run.slot);
  if (claimed.outcome === 'taken') return { outcome: 'taken', fence: Fence.parse(claimed.fence), set: '' };
  if (claimed.outcome === 'running') return { outcome: 'running', fence: claimed.lease.fence, set: '' };
  const { node, seq, fence } = claimed.manifest.value;
  return { outcome: 'sealed', fence, set: setId(node, seq) };
}
