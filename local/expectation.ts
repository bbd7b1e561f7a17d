import { type Schedule, slotAt } from '../core/schedule.ts';

/** What is expected of a node at one moment. */
export interface Expectation {
  /** False: it is switched off, and nothing is to be made of its age. */
  readonly enabled: boolean;
  readonly schedule: Schedule;
  /** The newest instant that is due; undefined: none is. */
  readonly slot: Date | undefined;
  /** Since when it is so; undefined: always. */
  readonly since: Date | undefined;
}

/** A node and when its runs are due. */
export interface ServedNode {
  readonly name: string;
  readonly schedule: Schedule;
  /** Of a chain: what somebody may have set since. Absent: it is as `schedule` has it. Rejects if it cannot be read. */
  readonly expect?: (now: Date) => Promise<Expectation>;
}

/** Settings that cannot be read start nothing, and let nobody sleep: the age is looked at by the configuration's. */
export async function expectationOf(
  { name, schedule, expect }: ServedNode,
  now: Date,
  log: (line: string) => void,
): Promise<Expectation> {
  if (expect === undefined) return { enabled: true, schedule, slot: schedule.last(now), since: undefined };
  try {
    return await expect(now);
  } catch (error) {
    log(`${name}: its settings cannot be read: ${error instanceof Error ? error.message : String(error)}`);
    return { enabled: true, schedule, slot: undefined, since: undefined };
  }
}

/** Whether another slot than this one is due by now, earlier than was foreseen. */
export async function isAnotherDue(
  node: ServedNode,
  slot: string,
  now: Date,
  log: (line: string) => void,
): Promise<boolean> {
  if (node.expect === undefined) return false;
  const due = (await expectationOf(node, now, log)).slot;
  return due !== undefined && slotAt(due) > slot;
}
