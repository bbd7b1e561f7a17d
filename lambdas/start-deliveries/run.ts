import { memberExecutionName } from '../../core/deployed-names.ts';
import type { Executions } from '../../core/executions.ts';
import type { Clock } from '../../core/ports.ts';
import type { InputOf, OutputOf } from '../../core/step.ts';
import type { startDeliveries } from './contract.ts';

export interface StartDeliveriesPorts {
  readonly machine: Pick<Executions, 'start'>;
  readonly clock: Clock;
}

export async function run(
  { page }: InputOf<typeof startDeliveries>,
  { machine, clock }: StartDeliveriesPorts,
): Promise<OutputOf<typeof startDeliveries>> {
  // A repeated call within the minute starts nothing twice: the same name with the same input is the same execution.
  for (const member of page) await machine.start(memberExecutionName(member, clock.now()), { member });
  return { started: page.length };
}
