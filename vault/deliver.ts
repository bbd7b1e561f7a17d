import pLimit from 'p-limit';
import { type DeliveryTotals, type Destination, faultOf, reachOf, takesChain } from '../core/delivery.ts';
import { isDue, isServed, type Member, MemberActRefused, type MemberFault } from '../core/members.ts';
import { machineTimer, type Timer } from './abreast.ts';
import { type DeliveredState, deliveredTo, type ReceiptPorts } from './deliveries.ts';
import { DeliveryLane } from './delivery-lane.ts';
import { type DeliverBounds, type WalkPorts, walk } from './delivery-walk.ts';
import { chainManifestKey } from './layout.ts';
import { actOn, type RegistryPorts, readMember } from './members.ts';
import { nodesIn } from './sets.ts';

export type { DeliverBounds } from './delivery-walk.ts';

export interface DeliverPorts extends ReceiptPorts, RegistryPorts, WalkPorts {
  /** Where a member's files go. Makes no call. */
  readonly destinationOf: (member: Member) => Destination;
  /** By which members that keep others waiting are told; default: this machine's. */
  readonly timer?: Timer;
  /** Called once nothing more is on its way to these, while others are: with how it ended, but for those of `failures`. */
  readonly onArrived?: (members: readonly string[], ends: readonly DeliveryEnd[]) => void;
}

export interface DeliverWish extends DeliverBounds {
  /** A person wants it now: who has failed is not kept waiting until its next try. */
  readonly now?: boolean;
}

/** How a delivery ended for one member. */
export interface DeliveryEnd {
  readonly member: string;
  /** `later`: it is degraded, and its next try is yet to come. */
  readonly outcome: 'whole' | 'more' | 'failed' | 'suspended' | 'later' | 'off';
  /** Put there in this delivery. */
  readonly objects: number;
  readonly totals: DeliveryTotals;
  readonly fault?: MemberFault;
}

/** Together through one read; four open files each. */
const MEMBERS_TOGETHER = 50;
/** Groups under way at once: members in other places of the history, and those that fell behind. */
const PASSES_AT_ONCE = 16;

/** A member on its way to a lane, with what its receipts say. */
interface Place {
  readonly member: Member;
  readonly state: DeliveredState;
  /** Objects put there before it fell behind. */
  readonly count?: number;
}

/**
 * Brings each member up to the history: what it lists less what the receipts show. Members that are equally far share
 * every read; one that is slow goes on alone, and one that fails stops alone. Rejects only for what is ours, once all
 * that can be delivered is there, receipts are written and the registry knows how it ended: with what is damaged of a
 * chain, of a member's receipts or its registry (which keeps no other chain or member waiting), with the vault's errors,
 * or with the reason of `signal`; of several with the first.
 */
export async function deliver(
  ports: DeliverPorts,
  members: readonly Member[],
  bounds: DeliverWish = {},
): Promise<DeliveryEnd[]> {
  const { ends, failures } = await deliverAll(ports, members, bounds);
  if (failures.length > 0) throw failures[0];
  return ends;
}

/** The same for who has something to do beside what fails: of a member whose receipts or registry do, there is no end. */
export async function deliverAll(
  ports: DeliverPorts,
  members: readonly Member[],
  bounds: DeliverWish = {},
): Promise<{ readonly ends: DeliveryEnd[]; readonly failures: readonly unknown[] }> {
  const limit = pLimit(PASSES_AT_ONCE);
  const asOf = ports.clock.now();
  const ends = new Map<string, DeliveryEnd>();
  const failures: unknown[] = [];
  const fail = (error: unknown) => void failures.push(error);
  const ended = (end: DeliveryEnd) => void ends.set(end.member, end);
  const arrived = (all: readonly Member[]): void => {
    const ids = all.map(({ member }) => member);
    ports.onArrived?.(
      ids,
      ids.flatMap((id) => ends.get(id) ?? []),
    );
  };
  const missed = (member: Member, error: unknown): void => {
    fail(error);
    arrived([member]);
  };
  const alone = new Set<Promise<void>>();
  // At once, and not when the others are through: these may have somebody else among them who takes long.
  const goOnAlone = (lane: DeliveryLane): void => {
    const task = lane
      .end()
      .then(async () => {
        if (lane.ours !== undefined) return missed(lane.member, lane.ours);
        const member = await asItIsNow(ports, lane.member);
        await run([{ member, state: await deliveredTo(ports.vault, member), count: lane.count }]);
      })
      .catch((error: unknown) => missed(lane.member, error))
      .finally(() => alone.delete(task));
    alone.add(task);
  };
  const run = async (places: readonly Place[]): Promise<void> => {
    const { lanes, failed } = await limit(() => passOver({ ...ports, goOnAlone }, places, bounds, asOf));
    failures.push(...failed);
    for (const lane of lanes.filter((each) => !each.fellBehind)) {
      if (lane.ours !== undefined) fail(lane.ours);
      if (lane.ours !== undefined && lane.refusal === undefined) continue;
      await settle(ports, lane).then(ended, fail);
    }
    const goOn = new Set(lanes.filter((each) => each.fellBehind).map(({ member }) => member));
    arrived(places.map(({ member }) => member).filter((member) => !goOn.has(member)));
  };
  const due = members.filter((member) => (bounds.now === true ? isServed(member) : isDue(member, asOf)));
  const groups = await groupsOf(ports, due, fail);
  const grouped = new Set(groups.flat().map(({ member }) => member));
  arrived(due.filter((member) => !grouped.has(member)));
  await Promise.all(groups.map((group) => run(group).catch(fail)));
  while (alone.size > 0) await Promise.all(alone);
  if (failures.length === 0) {
    const idle = members.filter(({ member }) => !ends.has(member));
    await Promise.all(idle.map((member) => idleEnd(ports, member).then(ended, fail)));
  }
  return { ends: members.flatMap(({ member }) => ends.get(member) ?? []), failures };
}

async function idleEnd({ vault }: DeliverPorts, member: Member): Promise<DeliveryEnd> {
  const { totals } = await deliveredTo(vault, member);
  const waits = member.state === 'degraded' && member.environmentBackupTarget;
  const outcome = waits ? 'later' : member.state === 'suspended' ? 'suspended' : 'off';
  return { member: member.member, outcome, objects: 0, totals, ...(member.fault && { fault: member.fault }) };
}

/** Members that are equally far, by what they want. One whose receipts cannot be read is told, and left out. */
async function groupsOf(
  { vault }: DeliverPorts,
  members: readonly Member[],
  fail: (error: unknown) => void,
): Promise<Place[][]> {
  const limit = pLimit(PASSES_AT_ONCE);
  const read = members.map((member) =>
    limit(async () => ({ member, state: await deliveredTo(vault, member) })).catch((error: unknown) => {
      fail(error);
      return undefined;
    }),
  );
  const known = (await Promise.all(read)).filter((place) => place !== undefined);
  const places = Map.groupBy(known, ({ member, state: { cursors, held } }) => {
    const reaches = Object.entries(cursors).map(([node, cursor]) => {
      const reach = reachOf(cursor, member);
      // With what it has beyond that, too: a chain that does not go on from there fails for it alone.
      return [node, reach?.seq, reach?.sha256, cursor.seq, cursor.sha256].join('/');
    });
    return JSON.stringify([member.chains, reaches.toSorted(), held.size]);
  });
  return [...places.values()].flatMap((group) =>
    Array.from({ length: Math.ceil(group.length / MEMBERS_TOGETHER) }, (_, n) =>
      group.slice(n * MEMBERS_TOGETHER, (n + 1) * MEMBERS_TOGETHER),
    ),
  );
}

/** The lanes, ended but for those that fell behind, and what failed that is of no lane. Rejects never. */
async function passOver(
  ports: DeliverPorts & { readonly goOnAlone: (lane: DeliveryLane) => void },
  places: readonly Place[],
  bounds: DeliverBounds,
  asOf: Date,
): Promise<{ lanes: DeliveryLane[]; failed: unknown[] }> {
  const lanes: DeliveryLane[] = [];
  const failed: unknown[] = [];
  for (const place of places) {
    try {
      const destination = ports.destinationOf(place.member);
      lanes.push(new DeliveryLane(ports, { ...place, destination, asOf }, ports.signal));
    } catch (error) {
      failed.push(error);
    }
  }
  const timer = ports.timer ?? machineTimer;
  const damages = await walk(ports, lanes, bounds, { timer, since: timer.now() }).catch((error: unknown) => {
    for (const lane of lanes) lane.stop(error);
    return [error];
  });
  await Promise.all(lanes.filter((lane) => !lane.fellBehind).map((lane) => lane.end()));
  return { lanes, failed: [...failed, ...damages] };
}

/** Writes into the registry how it ended, and tells it. */
async function settle(ports: DeliverPorts, lane: DeliveryLane): Promise<DeliveryEnd> {
  const { count, refusal, totals } = lane;
  const { member, since, state } = lane.member;
  const end = { member, objects: count, totals };
  if (lane.withdrawn) return { ...end, outcome: 'off' };
  try {
    if (refusal === undefined) {
      if (state === 'degraded') await actOn(ports, member, { what: 'recover', since });
      return { ...end, outcome: (await isWhole(ports, lane)) ? 'whole' : 'more' };
    }
    const fault = faultOf(refusal);
    const suspends = refusal.kind === 'refused';
    const now = await actOn(ports, member, { what: suspends ? 'suspend' : 'degrade', since, fault });
    return { ...end, outcome: now.value.state === 'suspended' ? 'suspended' : 'failed', fault };
  } catch (error) {
    // It left, was switched off or was registered anew while this was on its way: how it went before says nothing now.
    if (error instanceof MemberActRefused) return { ...end, outcome: 'off' };
    throw error;
  }
}

/** Of the same registration, with what it takes by now. */
async function asItIsNow({ vault }: DeliverPorts, member: Member): Promise<Member> {
  const now = (await readMember(vault, member.member))?.value;
  return now?.since === member.since ? now : member;
}

/** Nothing more is listed behind its cursors, of what it takes by now. */
async function isWhole(ports: DeliverPorts, lane: DeliveryLane): Promise<boolean> {
  const { vault } = ports;
  const member = await asItIsNow(ports, lane.member);
  for (const node of await nodesIn(vault, 'chain')) {
    const next = chainManifestKey(node, (lane.reach(node)?.seq ?? 0) + 1);
    if (takesChain(member, node) && (await vault.stat(next)) !== undefined) return false;
  }
  return true;
}
