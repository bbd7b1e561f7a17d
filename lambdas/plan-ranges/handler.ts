import { serve } from '../serve.ts';
import { vaultPorts } from '../vault-ports.ts';
import { planRanges } from './contract.ts';
import { run } from './run.ts';

export const handler = serve(planRanges, run, (env) => ({
  ...vaultPorts(env),
  blocksPerFile: () => Number(env.BLOCKS_PER_FILE),
}));
