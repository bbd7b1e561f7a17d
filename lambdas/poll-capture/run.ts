import type { Captures } from '../../core/ports.ts';
import type { InputOf, OutputOf } from '../../core/step.ts';
import { assertHeld, type LeasePorts } from '../../vault/leases.ts';
import type { pollCapture } from './contract.ts';

/** Where nothing waits between polls (`pollSeconds` 0), a poll waits inside; short enough to renew the lease in time. */
const WAIT_INSIDE_SECONDS = 20;

export interface PollCapturePorts extends LeasePorts {
  readonly captures: Pick<Captures, 'poll'>;
  /** Tells whoever reads the log; default: nobody does. */
  readonly warn?: (message: string, facts: Readonly<Record<string, string>>) => void;
}

export async function run(
  { ticket, handle }: InputOf<typeof pollCapture>,
  ports: PollCapturePorts,
): Promise<OutputOf<typeof pollCapture>> {
  await assertHeld(ports, ticket);
  const inside = ticket.pollSeconds === 0;
  const { ended, lookAgainSeconds, warning } = await ports.captures.poll(handle, inside ? WAIT_INSIDE_SECONDS : 0);
  const { node, slot, component } = ticket;
  if (warning !== undefined) ports.warn?.(warning, { node, slot, component });
  return { ended, waitSeconds: inside || ended ? 0 : (lookAgainSeconds ?? ticket.pollSeconds) };
}
