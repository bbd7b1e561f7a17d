import { LedgerholdError } from '../core/errors.ts';
import { suggestion } from '../core/nearest.ts';
import { canton } from './canton/canton.ts';
import type { Protocol } from './protocol.ts';
import { splice } from './splice/splice.ts';

/** Every ledger that this version knows. A new one is a folder of its own and a line here. */
export const protocols: readonly Protocol[] = [splice, canton];

/** The protocol that a config or a manifest names. Throws `UnknownProtocol`. */
export function protocolNamed(name: string): Protocol {
  const protocol = protocols.find((each) => each.name === name);
  if (protocol === undefined) throw new UnknownProtocol(name);
  return protocol;
}

export class UnknownProtocol extends LedgerholdError {
  override readonly name = 'UnknownProtocol';
  readonly kind = 'usage';
  constructor(named: string) {
    const known = protocols.map(({ name }) => name);
    super(`this version knows no protocol "${named}"`, suggestion(named, known));
  }
}
