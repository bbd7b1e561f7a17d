import { Logger } from '@aws-lambda-powertools/logger';
import { captureEnds } from '../../aws/deployed-captures.ts';
import { rdsClient } from '../../aws/rds-client.ts';
import { deployedEnds } from '../capture-ends.ts';
import { serve } from '../serve.ts';
import { vaultPorts } from '../vault-ports.ts';
import { pollCapture } from './contract.ts';
import { run } from './run.ts';

const logger = new Logger({ serviceName: 'poll-capture' });

export const handler = serve(pollCapture, run, (env) => {
  const ports = vaultPorts(env);
  const captures = captureEnds(deployedEnds({ ...ports, rds: rdsClient() }));
  return { ...ports, captures, warn: (message, facts) => logger.warn(message, facts) };
});
