import type { ProtocolOrdering } from '../protocol.ts';

export const spliceOrdering: ProtocolOrdering = {
  name: 'splice',
  title: 'Splice validator',
  roles: {
    identities: {
      kind: 'identities',
      holds: 'the participant’s id and keys, to re-onboard it elsewhere',
      required: true,
    },
    'validator-app': { kind: 'database', holds: 'the wallets and stores of the validator app', required: true },
    participant: { kind: 'database', holds: 'contracts, parties, users and private keys', required: true },
  },
  order: [['validator-app', 'participant']],
  orderReason: 'the app may not have ingested what the participant, once restored, has never heard of',
};
