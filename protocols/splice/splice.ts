import { canton, ingestedLaw, LEDGER_QUERIES } from '../canton/canton.ts';
import { byRows } from '../canton/read.ts';
import { appReader, ledgerReader } from '../canton/roles.ts';
import type { Protocol } from '../protocol.ts';
import { identitiesReading } from './identities.ts';
import { spliceOrdering } from './ordering.ts';

/**
 * A validator of the Canton Network: Canton's participant with one app before it. Its synchronizer is run by others, so
 * that nothing here is compared with a sequencer, and every version of Canton that Splice ships can be read.
 */
export const splice: Protocol = {
  ...spliceOrdering,
  laws: [ingestedLaw('validator-app')],
  positions: byRows(LEDGER_QUERIES, { 'validator-app': appReader, participant: ledgerReader }),
  contents: { 'splice-identities-json': identitiesReading },
  sameIdentity: [['identities', 'participant']],
  restore: {
    maxAgeDays: 30,
    maxAgeReason:
      'stated policy of Splice’s documentation: sequencers are pruned after 30 days, and a participant further behind ' +
      'cannot catch up (no endpoint tells the horizon)',
    loses: ['users and wallets onboarded after the capture', ...canton.restore.loses],
    after: [
      'Onboard again, by hand, the users that were onboarded after the capture.',
      'If a logical synchronizer upgrade lies between: the old synchronizer must still be up, or re-onboard from the identities.',
      ...canton.restore.after,
    ],
  },
  everyHours: 4,
};
