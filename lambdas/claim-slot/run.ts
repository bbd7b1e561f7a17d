import { Fence, setId } from '../../core/names.ts';
import { asRun } from '../../core/run.ts';
import type { InputOf, OutputOf } from '../../core/step.ts';
import { SETS } from '../../vault/chain.ts';
import { claimVaultFormat } from '../../vault/format.ts';
import { claim, type LeasePorts } from '../../vault/leases.ts';
import type { claimSlot } from './contract.ts';

export async function run(
  { run: asked, holder }: InputOf<typeof claimSlot>,
  ports: LeasePorts,
): Promise<OutputOf<typeof claimSlot>> {
  const run = asRun(asked);
  await claimVaultFormat(ports.vault, run.network);
  const claimed = await claim(ports, SETS, holder, run);
  if (claimed.outcome === 'taken') return { run, outcome: 'taken', fence: Fence.parse(claimed.fence), set: '' };
  if (claimed.outcome === 'running') return { run, outcome: 'running', fence: claimed.lease.fence, set: '' };
  const { node, seq, fence } = claimed.manifest.value;
  return { run, outcome: 'sealed', fence, set: setId(node, seq) };
}
