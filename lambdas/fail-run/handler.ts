import { serve } from '../serve.ts';
import { vaultPorts } from '../vault-ports.ts';
import { failRun } from './contract.ts';
import { run } from './run.ts';

export const handler = serve(failRun, run, vaultPorts);
