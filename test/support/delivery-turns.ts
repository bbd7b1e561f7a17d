import type { Dimension } from '../../core/gauges.ts';
import { type Member, type MemberAct, MemberId } from '../../core/members.ts';
import type { Gauges } from '../../core/ports.ts';
import { run as deliverMember } from '../../lambdas/deliver-member/run.ts';
import { run as listMembers } from '../../lambdas/list-members/run.ts';
import { actOn } from '../../vault/members.ts';
import { deliveryWorld } from './delivery-world.ts';
import { unprovenSigner } from './toy-deliveries.ts';

/** Looks and turns as on AWS, over stores in memory. */
export function deployedDelivery() {
  const world = deliveryWorld();
  const gauges: Record<string, number> = {};
  const journal = { note: () => {}, failure: () => {} };
  const busy = new Set<string>();
  /** Members that a machine delivers to, and not what is deployed. */
  const elsewhere = new Set<string>();
  const serves = ({ member }: Pick<Member, 'member'>) => !elsewhere.has(member);
  const ports = { ...world.registry, journal, network: world.registry.network, serves };
  const set: Gauges['set'] = (name, value, of) => {
    const { member } = of as Readonly<Partial<Record<Dimension, string>>>;
    gauges[member === undefined ? name : `${name} ${member}`] = value;
  };
  /** `meanwhile`: what happens before it is asked again who is at work. */
  const look = (meanwhile = async (): Promise<void> => {}) =>
    listMembers({}, { ...ports, gauges: { set }, atWork: async () => new Set(busy), wait: meanwhile });
  /** As a member does by the API: in the registry it stands by another name than what a delivery writes. */
  const asked = async (member: string, act: MemberAct) =>
    void (await actOn({ ...world.registry, by: 'the member' }, member, act));
  const turn = (member: string, milliseconds = 60_000) =>
    deliverMember(
      { member: MemberId.parse(member) },
      {
        ...{ ...ports, signer: unprovenSigner, turn: milliseconds },
        destinationOf: ({ member: id }) => world.storeOf(id),
      },
    );
  return { ...world, look, turn, asked, gauges, busy, elsewhere };
}
