import { serve } from '../serve.ts';
import { vaultPorts } from '../vault-ports.ts';
import { claimSlot } from './contract.ts';
import { run } from './run.ts';

export const handler = serve(claimSlot, run, vaultPorts);
