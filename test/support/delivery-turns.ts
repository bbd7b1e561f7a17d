import { MemberId } from '../../core/members.ts';
import { run as deliverMember } from '../../lambdas/deliver-member/run.ts';
import { run as listMembers } from '../../lambdas/list-members/run.ts';
import { deliveryWorld } from './delivery-world.ts';
import { unprovenSigner } from './toy-deliveries.ts';

/** Looks and turns as on AWS, over stores in memory. */
export function deployedDelivery() {
  const world = deliveryWorld();
  const gauges: Record<string, number> = {};
  const journal = { note: () => {}, failure: () => {} };
  const busy = new Set<string>();
  const ports = { ...world.registry, journal, network: world.registry.network };
  const look = () =>
    listMembers(
      {},
      { ...ports, gauges: { set: (name, value) => void (gauges[name] = value) }, atWork: async () => busy },
    );
  const turn = (member: string, milliseconds = 60_000) =>
    deliverMember(
      { member: MemberId.parse(member) },
      {
        ...{ ...ports, signer: unprovenSigner, turn: milliseconds },
        destinationOf: ({ member: id }) => world.storeOf(id),
      },
    );
  return { ...world, look, turn, gauges, busy };
}
