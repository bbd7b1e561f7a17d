import { LedgerholdError } from '../core/errors.ts';
import { suggestion } from '../core/nearest.ts';
import { cantonOrdering } from './canton/ordering.ts';
import type { ProtocolOrdering } from './protocol.ts';
import { spliceOrdering } from './splice/ordering.ts';
import { tesseraOrdering } from './tessera/ordering.ts';

const orderings: readonly ProtocolOrdering[] = [spliceOrdering, cantonOrdering, tesseraOrdering];

/** The order of a protocol, without what reads its databases: a Lambda loads no more. Throws `UnknownProtocol`. */
export function orderingNamed(name: string): ProtocolOrdering {
  const ordering = orderings.find((each) => each.name === name);
  if (ordering === undefined) throw new UnknownProtocol(name);
  return ordering;
}

export class UnknownProtocol extends LedgerholdError {
  override readonly name = 'UnknownProtocol';
  readonly kind = 'usage';
  constructor(named: string) {
    const known = orderings.map(({ name }) => name);
    super(`this version knows no protocol "${named}"`, suggestion(named, known));
  }
}
