import { setMaxListeners } from 'node:events';
import pLimit, { type LimitFunction } from 'p-limit';
import { TOO_OLD } from '../core/alarms.ts';
import type { Clock } from '../core/ports.ts';
import { slotAt } from '../core/schedule.ts';
import { expectationOf, isAnotherDue, type ServedNode } from './expectation.ts';
import { type SlotEnd, type SlotPorts, workOff } from './slot-work.ts';

/** All that serving needs of the world. */
export interface ServePorts extends SlotPorts {
  readonly clock: Clock;
  readonly pause: (seconds: number, signal: AbortSignal) => Promise<void>;
  /** When the newest proven set of a node was sealed, if that was since `since`. */
  readonly provenSince: (node: string, since: Date) => Promise<Date | undefined>;
  /** Pings the dead man's switch. */
  readonly ping: (signal: AbortSignal) => Promise<void>;
  /**
   * Brings the members what they lack, and tells who is badly off. Absent: there are none. Called again while it is under
   * way. Rejects only with `signal`.
   */
  readonly deliver?: (signal: AbortSignal) => Promise<void>;
  /** Also pings this often while no alarm is raised. Absent: after successful runs only. */
  readonly pingSeconds?: number;
}

/** Two runs side by side keep a slow node from holding up the others; more would share one machine's disk and gain nothing. */
const RUNS_AT_ONCE = 2;

/** A sleeping laptop and a clock that was set are noticed within this time. */
const LONGEST_PAUSE = 30;

const WATCH_SECONDS = 300;

/** Delivery follows each run that seals; what failed is tried again with the next hour. */
const DELIVER_SECONDS = 3600;

/** Another process works on the slot: it ends, or its lease does. */
const LOOK_AGAIN_SECONDS = 60;

/** One slot's work for each node that has any, once. In the order of the nodes; rejects when `signal` aborts. */
export async function serveOnce(
  nodes: readonly ServedNode[],
  ports: ServePorts,
  signal: AbortSignal,
): Promise<readonly { readonly node: string; readonly slot: string; readonly end: SlotEnd }[]> {
  const limit = pLimit(RUNS_AT_ONCE);
  const began = ports.clock.now();
  const turns = await Promise.all(nodes.map((node) => limit(() => turn(node, began, ports, signal))));
  const ends = turns.filter((each) => each !== undefined);
  await ports.deliver?.(signal);
  await ports.alarms.flush(signal);
  return ends;
}

/** Serves until `signal` aborts, then rejects with its reason when nothing runs any more. */
export async function serve(nodes: readonly ServedNode[], ports: ServePorts, signal: AbortSignal): Promise<never> {
  const end = new AbortController();
  // Each node waits on it.
  setMaxListeners(0, end.signal);
  const stop = () => end.abort(signal.reason);
  if (signal.aborted) stop();
  signal.addEventListener('abort', stop, { once: true });
  const limit = pLimit(RUNS_AT_ONCE);
  const began = ports.clock.now();
  const sealed = bell();
  const loops = [
    ...nodes.map((node) => tend(node, began, ports, limit, end.signal, sealed.ring)),
    keepDelivering(ports, sealed, end),
    watch(nodes, began, ports, end.signal),
    keepPinging(ports, end.signal),
  ];
  // If one of them ends, that is the end of all; nobody is left running behind.
  await Promise.allSettled(loops.map((loop) => loop.catch((error: unknown) => end.abort(error))));
  signal.removeEventListener('abort', stop);
  throw end.signal.reason;
}

/** One node: slot after slot, and within a slot again and again until its work is done or the next slot is due. */
async function tend(
  node: ServedNode,
  began: Date,
  ports: ServePorts,
  limit: LimitFunction,
  signal: AbortSignal,
  onSealed: () => void,
) {
  let failures = 0;
  let current = '';
  for (;;) {
    const done = await limit(() => turn(node, began, ports, signal));
    const lookAgain = new Date(ports.clock.now().getTime() + LOOK_AGAIN_SECONDS * 1000);
    if (done === undefined) {
      await until(lookAgain, ports, signal);
      continue;
    }
    const { slot, end, schedule } = done;
    if (end.state === 'done' && end.run.outcome === 'sealed') onSealed();
    failures = end.state !== 'failed' ? 0 : slot === current ? failures + 1 : 1;
    current = slot;
    const next = schedule.next(new Date(slot)).getTime();
    const again = ports.clock.now().getTime() + waitSeconds(end, failures, schedule.everySeconds) * 1000;
    const sooner = () => isAnotherDue(node, slot, ports.clock.now(), ports.log);
    await until(new Date(end.state === 'done' ? next : Math.min(next, again)), ports, signal, sooner);
  }
}

/** Rings for whoever waits by then. */
function bell() {
  let rung = Promise.withResolvers<void>();
  const ring = () => {
    rung.resolve();
    rung = Promise.withResolvers();
  };
  return { ring, next: () => rung.promise };
}

/**
 * Beside the runs, and beside each other: a member that is slow to take its files holds up no backup and no other member.
 * Resolves when none is under way any more; what one rejects with ends all.
 */
async function keepDelivering({ deliver, pause }: ServePorts, sealed: ReturnType<typeof bell>, end: AbortController) {
  if (deliver === undefined) return;
  const { signal } = end;
  const underWay = new Set<Promise<unknown>>();
  while (!signal.aborted) {
    const next = sealed.next();
    const turn = deliver(signal)
      .catch((error: unknown) => end.abort(error))
      .finally(() => underWay.delete(turn));
    underWay.add(turn);
    const stop = new AbortController();
    const waited = pause(DELIVER_SECONDS, AbortSignal.any([signal, stop.signal])).catch(() => {});
    await Promise.race([next, waited]);
    stop.abort();
  }
  await Promise.all(underWay);
}

/** 1, 2, 4, 8, 16, 30, 30 … minutes: a slot of 4 hours is tried 12 times. A quarter of a short period at most. */
function waitSeconds(end: SlotEnd, failures: number, everySeconds: number): number {
  const longest = everySeconds / 4;
  if (end.state === 'running') return Math.min(LOOK_AGAIN_SECONDS, longest);
  return Math.min(60 * 2 ** (failures - 1), 1800, longest);
}

/**
 * The newest slot that is due: older ones that were missed are not made up for, since their state is gone. Undefined: none
 * is due.
 */
async function turn(node: ServedNode, began: Date, ports: ServePorts, signal: AbortSignal) {
  signal.throwIfAborted();
  const { slot: due, schedule } = await expectationOf(node, ports.clock.now(), ports.log);
  if (due === undefined) return checkAge(node, began, ports, signal).then(() => undefined);
  const slot = slotAt(due);
  const end = await workOff(node.name, slot, ports, signal);
  await checkAge(node, began, ports, signal);
  if (end.state === 'done') await pingIfQuiet(ports, signal);
  return { node: node.name, slot, end, schedule };
}

/** Runs beside the runs: one that hangs is what it is for. */
async function watch(nodes: readonly ServedNode[], began: Date, ports: ServePorts, signal: AbortSignal) {
  for (;;) {
    await ports.pause(WATCH_SECONDS, signal);
    for (const node of nodes) await checkAge(node, began, ports, signal);
    await ports.alarms.flush(signal);
  }
}

async function checkAge(node: ServedNode, began: Date, ports: ServePorts, signal: AbortSignal) {
  const { alarms, clock, provenSince } = ports;
  const { name } = node;
  const { enabled, schedule, since: setAt = began } = await expectationOf(node, clock.now(), ports.log);
  if (!enabled) return alarms.clear('RPO_EXCEEDED', name, 'it is switched off', signal);
  const seconds = schedule.everySeconds * TOO_OLD;
  const since = new Date(clock.now().getTime() - seconds * 1000);
  const proven = await unlessUnreadable(ports, name, () => provenSince(name, since));
  if (proven !== undefined) {
    return alarms.clear('RPO_EXCEEDED', name, `a set of ${proven.toISOString()} is proven`, signal);
  }
  // A first run, or one after a long pause, is given the same time.
  if (began > since || setAt > since) return;
  const what = `no proven set is younger than ${seconds} s, one and a half times \`every\``;
  await alarms.raise('RPO_EXCEEDED', name, '', { what }, signal);
}

/** A vault that cannot be read shows no proven set, and that is what is said of it. */
async function unlessUnreadable<T>(ports: ServePorts, node: string, read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    const { message } = error instanceof Error ? error : new Error(String(error));
    ports.log(`${node}: the age of its sets cannot be read: ${message}`);
    return undefined;
  }
}

async function keepPinging(ports: ServePorts, signal: AbortSignal) {
  const { pingSeconds } = ports;
  if (pingSeconds === undefined) return;
  for (;;) {
    await ports.pause(pingSeconds, signal);
    await pingIfQuiet(ports, signal);
  }
}

/** A ping says that all is well. A lost one is only logged: that none comes is the alarm. */
async function pingIfQuiet({ alarms, ping, log }: ServePorts, signal: AbortSignal): Promise<void> {
  if (!alarms.isQuiet()) return;
  try {
    await ping(signal);
  } catch (error) {
    signal.throwIfAborted();
    log(`the dead man's switch was not pinged: ${error instanceof Error ? error.message : String(error)}`);
  }
}

async function until(
  instant: Date,
  { clock, pause }: ServePorts,
  signal: AbortSignal,
  sooner: () => Promise<boolean> = async () => false,
): Promise<void> {
  for (;;) {
    const left = (instant.getTime() - clock.now().getTime()) / 1000;
    if (left <= 0 || (await sooner())) return;
    await pause(Math.min(left, LONGEST_PAUSE), signal);
  }
}
