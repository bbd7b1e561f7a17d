import type { Executions } from '../core/executions.ts';
import type { Journal } from '../core/ports.ts';

export interface DeliverSoonPorts {
  /** What brings it to the members; absent: there are none, or they are told in another way. */
  readonly deliveries?: Pick<Executions, 'start'>;
  readonly journal?: Journal;
}

/** What is to go out is in the vault, whoever hears of it: a delivery that is not started now starts with the next hour. */
export async function deliverSoon(
  { deliveries, journal }: DeliverSoonPorts,
  name: string,
  about: Readonly<Record<string, string>>,
): Promise<void> {
  try {
    await deliveries?.start(name, {});
  } catch (error) {
    journal?.failure('deliveries not started', about, error);
  }
}
