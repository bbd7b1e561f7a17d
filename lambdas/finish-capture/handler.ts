import { captureEnds } from '../../aws/deployed-captures.ts';
import { rdsClient } from '../../aws/rds-client.ts';
import { deployedEnds } from '../capture-ends.ts';
import { serve } from '../serve.ts';
import { vaultPorts } from '../vault-ports.ts';
import { finishCapture } from './contract.ts';
import { run } from './run.ts';

export const handler = serve(finishCapture, run, (env) => {
  const ports = vaultPorts(env);
  return { ...ports, captures: captureEnds(deployedEnds({ ...ports, rds: rdsClient() })) };
});
