import { type BlockRange, ranges } from '../../core/chain.ts';
import type { InputOf, OutputOf } from '../../core/step.ts';
import { agreementOf, recordsOfSlot } from '../../vault/chain-run.ts';
import { assertHeld, type LeasePorts } from '../../vault/leases.ts';
import type { planRanges } from './contract.ts';

export interface PlanRangesPorts extends LeasePorts {
  readonly blocksPerFile: (node: string) => number;
}

export async function run(
  { run, fence }: InputOf<typeof planRanges>,
  ports: PlanRangesPorts,
): Promise<OutputOf<typeof planRanges>> {
  const attempt = { node: run.node, slot: run.slot, fence };
  await assertHeld(ports, attempt);
  const { value: agreement } = await agreementOf(ports.vault, attempt);
  const found: BlockRange[] = (await recordsOfSlot(ports.vault, agreement)).map(({ value: { start, end } }) => ({
    ...{ start: start.number, end: end.number },
  }));
  const next = (found.at(-1)?.end ?? agreement.base?.number ?? -1) + 1;
  return { ranges: [...found, ...ranges(next, agreement.evidence.end.number, ports.blocksPerFile(run.node))] };
}
