import { executionsOfMachine } from '../../aws/executions.ts';
import { serve } from '../serve.ts';
import { startDeliveries } from './contract.ts';
import { run } from './run.ts';

export const handler = serve(startDeliveries, run, (env) => ({
  machine: executionsOfMachine(env.MEMBER_MACHINE),
  clock: { now: () => new Date() },
}));
