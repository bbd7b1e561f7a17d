import { deliveryMachineName, memberExecutionName, memberMachineName } from '../core/deployed-names.ts';
import { isOnAws } from '../core/destination.ts';
import { executionName } from '../core/executions.ts';
import type { Member } from '../core/members.ts';
import type { OpenRegistry } from './members.ts';

/** The deliveries of a network that is deployed: only they have the role that members' buckets let in. */
export interface DeployedDelivery {
  /** Whether it is the one that delivers to this member; folders are delivered to from the machine that has them. */
  serves(member: Pick<Member, 'destination'>): boolean;
  /** Starts a look at every member, or the delivery to one. Resolves to the execution's id. */
  start(member?: Member): Promise<string>;
}

/** Undefined: the config does not say that the network is deployed. Opened without a call. */
export async function deployedDelivery({
  loaded: { config },
  clock,
}: Pick<OpenRegistry, 'loaded' | 'clock'>): Promise<DeployedDelivery | undefined> {
  const { aws, network } = config;
  if (aws === undefined) return undefined;
  const { openExecutions } = await import('../aws/executions.ts');
  return {
    serves: ({ destination }) => isOnAws(destination),
    start: (member) =>
      member === undefined
        ? openExecutions(aws, deliveryMachineName(network)).start(executionName('by', 'hand', clock.now()), {})
        : openExecutions(aws, memberMachineName(network)).start(memberExecutionName(member.member, clock.now()), {
            member: member.member,
          }),
  };
}
