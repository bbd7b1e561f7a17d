import pLimit, { type LimitFunction } from 'p-limit';
import type { Deliverable } from '../core/delivery.ts';
import type { Clock } from '../core/ports.ts';
import type { Vault } from '../core/vault.ts';
import { abreast, type Outset } from './abreast.ts';
import { type DeliveryUnit, isDamage, refuseOther, trustItems, unitsAfter } from './deliverables.ts';
import type { DeliveryLane } from './delivery-lane.ts';
import { fanOut } from './fan-out.ts';
import { bytesOf } from './item-bytes.ts';
import { nodesIn } from './sets.ts';

/** How much of the work is done in one go. */
export interface DeliverBounds {
  /** Objects a member. */
  readonly objects?: number;
  /** When no further object is begun. */
  readonly until?: Date;
  /** Files on their way side by side, of one manifest or of several. Default: 4. */
  readonly atOnce?: number;
}

export interface WalkPorts {
  readonly vault: Vault;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly onObject?: (member: string, item: Deliverable) => void;
}

/** Files on their way side by side: enough to keep a line or a disk busy, few enough to be taken back. */
const FILES_AT_ONCE = 4;

interface Walk extends WalkPorts {
  readonly outset: Outset;
  readonly lanes: () => DeliveryLane[];
  readonly full: () => boolean;
  /** Signers whose keys went out before. */
  readonly trusted: Set<string>;
  readonly atOnce: number;
}

/**
 * All lanes together, unit by unit. A chain that is damaged is gone as far as it is sound, and the others go on:
 * resolves to what is damaged. Rejects with the vault's errors, or the reason of `signal`.
 */
export async function walk(
  ports: WalkPorts,
  all: readonly DeliveryLane[],
  bounds: DeliverBounds,
  outset: Outset,
): Promise<unknown[]> {
  const full = () =>
    (bounds.until !== undefined && ports.clock.now() >= bounds.until) ||
    all.some((lane) => lane.count >= (bounds.objects ?? Infinity));
  const lanes = () => all.filter((lane) => lane.goesOn);
  const damages: unknown[] = [];
  const orDamaged = (work: Promise<void>) =>
    work.catch((error: unknown) => {
      if (!isDamage(error)) throw error;
      damages.push(error);
    });
  const walking: Walk = { ...ports, outset, lanes, full, trusted: new Set(), atOnce: bounds.atOnce ?? FILES_AT_ONCE };
  await orDamaged(sendTrust(walking));
  // Without sound keys nothing that they verify goes out.
  if (damages.length > 0) return damages;
  for (const node of await nodesIn(ports.vault, 'chain')) {
    const own = { ...walking, lanes: () => lanes().filter((lane) => lane.wants(node)) };
    await orDamaged(walkChain(own, node));
    await abreast(own.lanes(), (lane) => lane.closed, outset);
    ports.signal.throwIfAborted();
    if (full()) break;
  }
  return damages;
}

/**
 * Manifest after manifest. Most bring one file, so that several are on their way at once; each is sealed at the member
 * behind the one before it. Rejects with what is damaged, once what is sound before it has been sealed.
 */
async function walkChain(walking: Walk, node: string): Promise<void> {
  const { vault, lanes, full, trusted, atOnce } = walking;
  const limit = pLimit(atOnce);
  const onTheirWay: { readonly unit: DeliveryUnit; readonly sent: Promise<boolean> }[] = [];
  const [behind] = lanes()
    .map((lane) => lane.reach(node))
    .toSorted((a, b) => (a?.seq ?? 0) - (b?.seq ?? 0));
  const failures: unknown[] = [];
  const closeFirst = async (): Promise<void> => {
    const first = onTheirWay.shift();
    // A unit behind one that failed is not sealed: `close` sees that it does not follow.
    if (first !== undefined) await closeUnit(walking, first.unit, first.sent).catch((error) => failures.push(error));
  };
  try {
    // What is filled with chain files alone lies under manifests that are there: they must be these.
    for (const { cursors } of lanes()) {
      if (cursors[node] !== undefined && cursors[node].seq !== behind?.seq)
        await refuseOther(vault, node, cursors[node]);
    }
    for await (const unit of lanes().length === 0 ? [] : unitsAfter(vault, node, behind)) {
      // The key of a signer that is new since the walk began is there before what it signs.
      if (!trusted.has(unit.signer)) await sendTrust(walking);
      trusted.add(unit.signer);
      const sent = sendUnit(walking, unit, limit);
      // Looked at in its turn; until then nobody waits for it.
      sent.catch(() => {});
      onTheirWay.push({ unit, sent });
      if (onTheirWay.length >= atOnce) await closeFirst();
      if (full() || failures.length > 0 || lanes().length === 0) break;
    }
  } catch (error) {
    failures.push(error);
  }
  while (onTheirWay.length > 0) await closeFirst();
  if (failures.length > 0) throw failures[0];
}

/** Lets each lane seal a unit once all else of it was sent. */
async function closeUnit({ signal, lanes, outset }: Walk, unit: DeliveryUnit, sent: Promise<boolean>): Promise<void> {
  const whole = await sent;
  signal.throwIfAborted();
  // One unit may still be closing while the next is on its way.
  await abreast(lanes(), (lane) => lane.closed, outset);
  for (const lane of whole ? lanes() : []) lane.close(unit);
}

async function sendTrust(walking: Walk): Promise<void> {
  for await (const item of trustItems(walking.vault)) {
    await send(walking, item);
    const [, signer] = /^keys\/([0-9a-f]{64})\.pem$/.exec(item.key) ?? [];
    if (signer !== undefined) walking.trusted.add(signer);
  }
}

/** All of a unit but its seals. Resolves to false if it was broken off before its end. */
async function sendUnit(walking: Walk, unit: DeliveryUnit, limit: LimitFunction): Promise<boolean> {
  for (const lane of walking.lanes()) lane.begin(unit);
  const results = await Promise.allSettled(
    unit.items
      .filter(({ kind }) => kind !== 'seal')
      .map((item) =>
        limit(async () => {
          if (walking.full()) return walking.lanes().every((lane) => !lane.lacks(item));
          await send(walking, item);
          return true;
        }),
      ),
  );
  const failed = results.find(({ status }) => status === 'rejected');
  if (failed?.status === 'rejected') throw failed.reason;
  return results.every((result) => result.status === 'fulfilled' && result.value);
}

/** One object to all that lack it, read once. Rejects with what is wrong with its bytes, which then go to nobody. */
async function send({ vault, onObject, lanes, outset }: Walk, item: Deliverable): Promise<void> {
  const all = lanes();
  const lacking = inSomeOrder(
    item,
    all.filter((lane) => lane.lacks(item)),
  );
  const told = (lane: DeliveryLane) => () =>
    void (lane.goesOn && !lane.lacks(item) && onObject?.(lane.member.member, item));
  const alone = lacking.filter(({ destination }) => destination.copies || item.bytes !== undefined);
  const small = alone.map((lane) => ({ lane, task: lane.put(item, () => bytesOf(item)).then(told(lane)) }));
  const reading = lacking.filter((lane) => !alone.includes(lane));
  const writers = reading.map((lane) => ({
    walker: lane,
    write: (body: () => AsyncIterable<Uint8Array>) => lane.put(item, body).then(told(lane)),
  }));
  const tasks = new Map(small.map(({ lane, task }) => [lane, task]));
  const wrong: unknown[] = [];
  if (writers.length > 0) {
    await fanOut(item, () => vault.read(item.key), writers, all, outset).catch((error: unknown) => wrong.push(error));
  }
  await abreast(all, (lane) => tasks.get(lane), outset);
  for (const lane of all) wrong.push(...lane.takeDamage(item));
  if (wrong.length > 0) throw wrong[0];
}

/** Each object sets out to another member first: on one disk who comes last is late, and it is not to be the same always. */
function inSomeOrder<T>({ sha256 }: Deliverable, all: readonly T[]): T[] {
  const first = Number.parseInt(sha256.slice(0, 8), 16) % Math.max(1, all.length);
  return [...all.slice(first), ...all.slice(0, first)];
}
