import { ChainTick } from '../../core/chain-settings.ts';
import { serve } from '../serve.ts';
import { vaultPorts } from '../vault-ports.ts';
import { claimChainSlot } from './contract.ts';
import { run } from './run.ts';

export const handler = serve(claimChainSlot, run, (env) => ({
  ...vaultPorts(env),
  tick: ChainTick.parse(JSON.parse(env.TICK)),
}));
