import type { ProtocolOrdering } from '../protocol.ts';

export const cantonOrdering: ProtocolOrdering = {
  name: 'canton',
  title: 'Canton',
  roles: {
    app: { kind: 'database', holds: 'what an application has read from its participant', required: false },
    participant: { kind: 'database', holds: 'contracts, parties, users and private keys', required: false },
    mediator: { kind: 'database', holds: 'verdicts, and the mediator’s private keys', required: false },
    cantonbft: {
      kind: 'database',
      holds: 'the BFT orderer’s blocks, where it has a storage of its own',
      required: false,
    },
    sequencer: { kind: 'database', holds: 'the order of all events of a synchronizer', required: false },
  },
  order: [
    ['app', 'participant'],
    ['app', 'mediator'],
    ['app', 'cantonbft'],
    ['participant', 'sequencer'],
    ['mediator', 'sequencer'],
    ['cantonbft', 'sequencer'],
  ],
  orderReason: 'who reads from another may not have got further than the other, or the restored node forks',
};
