import type { ErrorKind } from '../core/errors.ts';
import type { ReadPositions } from '../core/ports.ts';
import { CaptureFailed } from '../core/receipts.ts';
import type { Protocol } from '../protocols/protocol.ts';

/** The database that the config names is surely not the one it means: it is empty, or plays another part. */
export class WrongDatabase extends CaptureFailed {
  override readonly name = 'WrongDatabase';
  override readonly kind: ErrorKind = 'violation';
}

/** The database is another participant's than the registered one. */
export class ForeignDatabase extends CaptureFailed {
  override readonly name = 'ForeignDatabase';
  override readonly kind: ErrorKind = 'violation';
}

/**
 * Asks a database what the protocol wants to know, and refuses one that surely is not the component's. `registered` is
 * held against those roles whose identity the protocol compares.
 */
export function positionsOf(
  protocol: Protocol,
  { component, role }: { readonly component: string; readonly role: string },
  registered: string | undefined,
): ReadPositions {
  return async (ask) => {
    const reading = protocol.positions.read(role, await ask(protocol.positions.queries));
    if (reading.status === 'refused') {
      const remedy = 'Name the database that the node really uses: its own settings say which one that is.';
      throw new WrongDatabase(`the database of ${component} is not that of a ${role}: ${reading.reason}`, remedy);
    }
    if (reading.status === 'unknown' || registered === undefined || reading.identity === null) return reading;
    if (!protocol.sameIdentity.flat().includes(role) || reading.identity === registered) return reading;
    throw new ForeignDatabase(
      `the database of ${component} is that of ${reading.identity}, and ${registered} is registered`,
      'Name the database of the registered participant, or correct `participant` if the node was re-onboarded.',
    );
  };
}
