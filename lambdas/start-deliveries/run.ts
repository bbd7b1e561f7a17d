import { memberExecutionName } from '../../core/deployed-names.ts';
import { ExecutionNameTaken, type Executions } from '../../core/executions.ts';
import type { MemberId } from '../../core/members.ts';
import type { Clock } from '../../core/ports.ts';
import type { InputOf, OutputOf } from '../../core/step.ts';
import type { startDeliveries } from './contract.ts';

export interface StartDeliveriesPorts {
  readonly machine: Pick<Executions, 'start'>;
  readonly clock: Clock;
}

/** Within a minute: each of them has run for a second. */
const MOST_NAMES = 60;

export async function run(
  { page }: InputOf<typeof startDeliveries>,
  ports: StartDeliveriesPorts,
): Promise<OutputOf<typeof startDeliveries>> {
  for (const member of page) await start(member, ports);
  return { started: page.length };
}

/**
 * A repeated call starts nothing twice: the same name with the same input is the same execution while it runs. One that
 * has ended may have looked before the newest seal: two chains are sealed within one minute more often than not.
 */
async function start(member: MemberId, { machine, clock }: StartDeliveriesPorts): Promise<void> {
  const now = clock.now();
  for (let nth = 1; ; nth += 1) {
    try {
      await machine.start(memberExecutionName(member, now, nth), { member });
      return;
    } catch (error) {
      if (!(error instanceof ExecutionNameTaken) || nth === MOST_NAMES) throw error;
    }
  }
}
