import pLimit from 'p-limit';
import { type Deliverable, type DeliveryTotals, type Destination, faultOf } from '../core/delivery.ts';
import { isDue, type Member, type MemberFault } from '../core/members.ts';
import { abreast } from './abreast.ts';
import { type DeliveryUnit, trustItems, unitsAfter } from './deliverables.ts';
import { deliveredTo, type ReceiptPorts } from './deliveries.ts';
import { bytesOf, DeliveryLane } from './delivery-lane.ts';
import { fanOut } from './fan-out.ts';
import { actOn, type RegistryPorts } from './members.ts';
import { nodesIn } from './sets.ts';

export interface DeliverPorts extends ReceiptPorts, RegistryPorts {
  /** Where a member's files go. Makes no call. */
  readonly destinationOf: (member: Member) => Destination;
  readonly signal: AbortSignal;
  readonly onObject?: (member: string, item: Deliverable) => void;
}

/** How much of the work is done in one go. */
export interface DeliverBounds {
  /** Objects a member. */
  readonly objects?: number;
  /** When no further object is begun. */
  readonly until?: Date;
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

/** Files on their way side by side: enough to keep a line or a disk busy, few enough to be taken back. */
const FILES_AT_ONCE = 4;
/** Together through one read; four open files each. */
const MEMBERS_TOGETHER = 50;
/** Groups under way at once: members in other places of the history, and those that fell behind. */
const PASSES_AT_ONCE = 16;

/**
 * Brings each member up to the history: what it lists less what the receipts show. Members that are equally far share
 * every read; one that is slow goes on alone, and one that fails stops alone. Rejects only for what is ours: with
 * `HistoryDamaged`, `ChainDamaged`, the vault's errors, or the reason of `signal`; receipts are written before.
 */
export async function deliver(
  ports: DeliverPorts,
  members: readonly Member[],
  bounds: DeliverBounds = {},
): Promise<DeliveryEnd[]> {
  const limit = pLimit(PASSES_AT_ONCE);
  const ends = new Map<string, DeliveryEnd>();
  const failures: unknown[] = [];
  const run = async (group: readonly Member[]): Promise<void> => {
    const lanes = await limit(() => passOver(ports, group, bounds));
    for (const lane of lanes.filter(({ fellBehind }) => !fellBehind)) {
      if (lane.ours !== undefined) failures.push(lane.ours);
      else ends.set(lane.member.member, await settle(ports, lane));
    }
    await Promise.all(lanes.filter(({ fellBehind }) => fellBehind).map(({ member }) => run([member])));
  };
  const due = members.filter((member) => isDue(member, ports.clock.now()));
  const groups = await groupsOf(ports, due);
  await Promise.all(groups.map((group) => run(group).catch((error: unknown) => void failures.push(error))));
  if (failures.length > 0) throw failures[0];
  return Promise.all(members.map(async (member) => ends.get(member.member) ?? idle(ports, member)));
}

async function idle({ vault }: DeliverPorts, member: Member): Promise<DeliveryEnd> {
  const { totals } = await deliveredTo(vault, member);
  const waits = member.state === 'degraded' && member.environmentBackupTarget;
  const outcome = waits ? 'later' : member.state === 'suspended' ? 'suspended' : 'off';
  return { member: member.member, outcome, objects: 0, totals, ...(member.fault && { fault: member.fault }) };
}

/** Members that are equally far, by what they want. */
async function groupsOf({ vault }: DeliverPorts, members: readonly Member[]): Promise<Member[][]> {
  const limit = pLimit(PASSES_AT_ONCE);
  const states = await Promise.all(members.map((member) => limit(() => deliveredTo(vault, member))));
  const places = Map.groupBy(members, (member) => {
    const { cursors, held } = states[members.indexOf(member)] ?? {};
    const seqs = Object.entries(cursors ?? {}).map(([node, { seq }]) => `${node}/${seq}`);
    return JSON.stringify([member.chains, seqs.toSorted(), held?.size]);
  });
  return [...places.values()].flatMap((group) =>
    Array.from({ length: Math.ceil(group.length / MEMBERS_TOGETHER) }, (_, n) =>
      group.slice(n * MEMBERS_TOGETHER, (n + 1) * MEMBERS_TOGETHER),
    ),
  );
}

async function passOver(
  ports: DeliverPorts,
  members: readonly Member[],
  bounds: DeliverBounds,
): Promise<DeliveryLane[]> {
  const lanes: DeliveryLane[] = [];
  for (const member of members) {
    const state = await deliveredTo(ports.vault, member);
    lanes.push(new DeliveryLane(ports, { member, destination: ports.destinationOf(member), state }, ports.signal));
  }
  try {
    await walk(ports, lanes, bounds);
  } catch (error) {
    for (const lane of lanes) lane.stop(error);
    throw error;
  } finally {
    await Promise.all(lanes.map((lane) => lane.end()));
  }
  return lanes;
}

/** All lanes together, unit by unit. */
async function walk(ports: DeliverPorts, lanes: readonly DeliveryLane[], bounds: DeliverBounds): Promise<void> {
  const { vault, clock } = ports;
  const since = performance.now();
  const going = () => lanes.filter((lane) => lane.goesOn);
  const full = () =>
    (bounds.until !== undefined && clock.now() >= bounds.until) ||
    lanes.some((lane) => lane.count >= (bounds.objects ?? Infinity));
  for await (const item of trustItems(vault)) await send(ports, going(), item, since);
  for (const node of await nodesIn(vault, 'chain')) {
    const wanting = () => going().filter((lane) => lane.wants(node));
    const after = Math.min(...wanting().map(({ cursors }) => cursors[node]?.seq ?? 0));
    if (!Number.isFinite(after)) continue;
    for await (const unit of unitsAfter(vault, node, after)) {
      const sent = await sendUnit(ports, wanting, unit, { since, full });
      ports.signal.throwIfAborted();
      // One unit may still be closing while the next is on its way.
      await abreast(wanting(), (lane) => lane.closed, since);
      for (const lane of sent ? wanting() : []) lane.close(unit);
      if (full() || wanting().length === 0) break;
    }
    await abreast(wanting(), (lane) => lane.closed, since);
    if (full()) return;
  }
}

/** All of a unit but its seals. Resolves to false if it was broken off before its end. */
async function sendUnit(
  ports: DeliverPorts,
  lanes: () => DeliveryLane[],
  { items }: DeliveryUnit,
  { since, full }: { readonly since: number; readonly full: () => boolean },
): Promise<boolean> {
  const limit = pLimit(FILES_AT_ONCE);
  const results = await Promise.all(
    items
      .filter(({ kind }) => kind !== 'seal')
      .map((item) =>
        limit(async () => {
          if (full()) return lanes().every((lane) => !lane.lacks(item));
          await send(ports, lanes(), item, since);
          return true;
        }),
      ),
  );
  return results.every(Boolean);
}

/** One object to all that lack it, read once. */
async function send(
  { vault, onObject }: DeliverPorts,
  lanes: readonly DeliveryLane[],
  item: Deliverable,
  since: number,
): Promise<void> {
  const lacking = lanes.filter((lane) => lane.lacks(item));
  const told = (lane: DeliveryLane) => () => void (lane.goesOn && onObject?.(lane.member.member, item));
  const alone = lacking.filter(({ destination }) => destination.copies || item.bytes !== undefined);
  const small = alone.map((lane) => ({ lane, task: lane.put(item, () => bytesOf(item)).then(told(lane)) }));
  const reading = lacking.filter((lane) => !alone.includes(lane));
  const writers = reading.map((lane) => ({
    walker: lane,
    write: (body: () => AsyncIterable<Uint8Array>) => lane.put(item, body).then(told(lane)),
  }));
  const tasks = new Map(small.map(({ lane, task }) => [lane, task]));
  if (writers.length > 0) await fanOut(item, () => vault.read(item.key), writers, since);
  await abreast([...tasks.keys()], (lane) => tasks.get(lane), since);
}

/** Writes into the registry how it ended, and tells it. */
async function settle(ports: DeliverPorts, lane: DeliveryLane): Promise<DeliveryEnd> {
  const { member, count, refusal } = lane;
  const { totals } = await deliveredTo(ports.vault, member);
  const end = { member: member.member, objects: count, totals };
  if (lane.withdrawn) return { ...end, outcome: 'off' };
  if (refusal === undefined) {
    if (member.state === 'degraded') await actOn(ports, member.member, { what: 'recover' });
    return { ...end, outcome: (await isWhole(ports, lane)) ? 'whole' : 'more' };
  }
  const fault = faultOf(refusal);
  const suspends = refusal.kind === 'refused';
  const now = await actOn(ports, member.member, { what: suspends ? 'suspend' : 'degrade', fault });
  return { ...end, outcome: now.value.state === 'suspended' ? 'suspended' : 'failed', fault };
}

/** Nothing more is listed behind its cursors. */
async function isWhole({ vault }: DeliverPorts, lane: DeliveryLane): Promise<boolean> {
  for (const node of await nodesIn(vault, 'chain')) {
    if (!lane.wants(node)) continue;
    for await (const _ of unitsAfter(vault, node, lane.cursors[node]?.seq ?? 0)) return false;
  }
  return true;
}
