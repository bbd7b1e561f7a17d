import { chainsOf } from '../chain-reach.ts';
import { serve } from '../serve.ts';
import { vaultPorts } from '../vault-ports.ts';
import { agreeEnd } from './contract.ts';
import { run } from './run.ts';

export const handler = serve(agreeEnd, run, (env) => ({ ...vaultPorts(env), chainOf: chainsOf(env) }));
