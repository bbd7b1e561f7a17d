import type { InputOf, OutputOf } from '../../core/step.ts';
import { waves } from '../../core/waves.ts';
import type { ProtocolOrdering } from '../../protocols/protocol.ts';
import type { planWaves } from './contract.ts';

export interface PlanWavesPorts {
  readonly protocolNamed: (name: string) => ProtocolOrdering;
}

export async function run(
  { run, fence }: InputOf<typeof planWaves>,
  { protocolNamed }: PlanWavesPorts,
): Promise<OutputOf<typeof planWaves>> {
  const { network, node, protocol, slot, pollSeconds } = run;
  const planned = waves(run.components, protocolNamed(protocol));
  const roles = new Map(run.components.map(({ component, role }) => [component, role]));
  return {
    waves: planned.waves.map((wave) =>
      wave.map((component) => ({
        ...{ network, node, protocol, slot, fence, component, pollSeconds },
        role: roles.get(component) ?? component,
      })),
    ),
  };
}
