import type { Config } from '../config/schema.ts';
import type { Executions } from '../core/executions.ts';
import { backupMachineName } from '../core/names.ts';
import { NotSupportedYet } from './context.ts';

/** The backups that run on AWS; opened without a call. */
export async function executionsOf({ aws, network }: Config): Promise<Executions> {
  if (aws === undefined) {
    throw new NotSupportedYet('the config does not say where it is deployed', 'Give aws: { account, region }.');
  }
  const { openExecutions } = await import('../aws/executions.ts');
  return openExecutions(aws, backupMachineName(network));
}
