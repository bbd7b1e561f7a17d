import { deliveryMachineName, memberExecutionName } from '../core/deployed-names.ts';
import { isOnAws } from '../core/destination.ts';
import { ExecutionNameTaken, executionArn, executionName } from '../core/executions.ts';
import type { Member } from '../core/members.ts';
import type { OpenRegistry } from './members.ts';

/** The deliveries of a network that is deployed: only they have the role that members' buckets let in. */
export interface DeployedDelivery {
  /** Whether it is the one that delivers to this member; folders are delivered to from the machine that has them. */
  serves(member: Pick<Member, 'destination'>): boolean;
  /**
   * Starts a look at every member, which finds who is at work already. `acted`: the version that was written last; a look
   * for it is started once. Resolves to the execution's id.
   */
  start(acted?: Pick<Member, 'member' | 'n'>): Promise<string>;
}

/** Undefined: the config does not say that the network is deployed. Opened without a call. */
export async function deployedDelivery({
  loaded: { config },
  clock,
}: Pick<OpenRegistry, 'loaded' | 'clock'>): Promise<DeployedDelivery | undefined> {
  const { aws, network } = config;
  if (aws === undefined) return undefined;
  const { openExecutions } = await import('../aws/executions.ts');
  const machine = deliveryMachineName(network);
  const looks = openExecutions(aws, machine);
  return {
    serves: ({ destination }) => isOnAws(destination),
    start: async (acted) => {
      const now = clock.now();
      if (acted === undefined) return looks.start(executionName('by', 'hand', now), {});
      const name = memberExecutionName(acted.member, now, acted.n);
      try {
        return await looks.start(name, {});
      } catch (error) {
        if (!(error instanceof ExecutionNameTaken)) throw error;
        return executionArn(aws, machine, name);
      }
    },
  };
}
