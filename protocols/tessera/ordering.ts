import type { ProtocolOrdering } from '../protocol.ts';

export const tesseraOrdering: ProtocolOrdering = {
  name: 'tessera',
  title: 'Tessera',
  roles: {
    tessera: {
      kind: 'database',
      holds: 'the payloads of private transactions, of which the chain holds only hashes',
      required: true,
    },
  },
  // It comes after the chain, which is no component of a set: the run begins once the chain's history is sealed.
  order: [],
  orderReason:
    'after the chain’s end is fixed: a payload is stored before its hash can be in a block, so that a later dump holds it',
};
