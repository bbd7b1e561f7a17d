import { canton } from './canton/canton.ts';
import { UnknownProtocol } from './orderings.ts';
import type { Protocol } from './protocol.ts';
import { splice } from './splice/splice.ts';
import { tessera } from './tessera/tessera.ts';

/** Every ledger that this version knows. A new one is a folder of its own, a line here and one in `orderings.ts`. */
export const protocols: readonly Protocol[] = [splice, canton, tessera];

/** The protocol that a config or a manifest names. Throws `UnknownProtocol`. */
export function protocolNamed(name: string): Protocol {
  const protocol = protocols.find((each) => each.name === name);
  if (protocol === undefined) throw new UnknownProtocol(name);
  return protocol;
}
