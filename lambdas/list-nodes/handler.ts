import { serve } from '../serve.ts';
import { vaultPorts } from '../vault-ports.ts';
import { listNodes } from './contract.ts';
import { run } from './run.ts';

export const handler = serve(listNodes, run, vaultPorts);
