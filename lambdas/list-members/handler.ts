import { setTimeout } from 'node:timers/promises';
import { executionsOfMachine } from '../../aws/executions.ts';
import { memberAtWork } from '../../core/deployed-names.ts';
import { isOnAws } from '../../core/destination.ts';
import { emfGauges } from '../emf-gauges.ts';
import { serve } from '../serve.ts';
import { vaultPorts } from '../vault-ports.ts';
import { listMembers } from './contract.ts';
import { run } from './run.ts';

export const handler = serve(listMembers, run, (env, journal) => {
  const machine = executionsOfMachine(env.MEMBER_MACHINE);
  return {
    ...{ ...vaultPorts(env), journal, gauges: emfGauges(), network: env.NETWORK },
    serves: ({ destination }) => isOnAws(destination),
    wait: (milliseconds) => setTimeout(milliseconds),
    atWork: async () => new Set((await machine.running()).map(memberAtWork)),
  };
});
