import * as z from 'zod';
import { LedgerholdError } from './errors.ts';
import { Reason } from './manifest.ts';
import { ComponentName, Fence, NetworkName, NodeName, Slot } from './names.ts';
import { slotAt } from './schedule.ts';

/** All that a run captures. At most 32: a ticket for each of them lies in the run's state, which holds 256 KiB. */
export const Components = z
  .array(z.strictObject({ component: ComponentName, role: z.string() }))
  .min(1)
  .max(32);

/** The input of the backup workflow: what the schedule, or a person, asks for. Holds names only, never a secret. */
export const Run = z.strictObject({
  network: NetworkName,
  node: NodeName,
  protocol: z.string(),
  components: Components,
  slot: Slot,
  reason: Reason,
  /** Seconds between two polls of a capture, spent in the state machine; 0 where polls wait inside. */
  pollSeconds: z.int().min(0).max(300),
  /** From the first start to the last start; over it the set is refused as stale. Default 6 h. */
  maxSpreadSeconds: z.int().min(60).max(172_800),
});
export type Run = z.infer<typeof Run>;

/** A run as a schedule or a person asks for it: its slot may be a time in any form of ISO 8601, and may be wrong. */
export const AskedRun = Run.extend({ slot: z.string().min(1).max(100) });
export type AskedRun = z.infer<typeof AskedRun>;

/** A run was asked for at a slot that is none. */
export class NotASlot extends LedgerholdError {
  override readonly name = 'NotASlot';
  readonly kind = 'usage';
}

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/;

/** The run, its slot as everybody else writes it. Throws `NotASlot`. */
export const asRun = (asked: AskedRun): Run => ({ ...asked, slot: slotOf(asked) });

/** A schedule's slot is always a time, anybody else's may be an id. Throws `NotASlot`. */
export function slotOf(asked: { readonly slot: string; readonly reason: Reason }): Slot {
  const time = TIME.test(asked.slot) ? Date.parse(asked.slot) : Number.NaN;
  if (!Number.isNaN(time)) return slotAt(new Date(time));
  const id = Slot.safeParse(asked.slot);
  if (asked.reason !== 'schedule' && id.success) return id.data;
  throw new NotASlot(
    `"${asked.slot}" is no slot of a run whose reason is ${asked.reason}`,
    asked.reason === 'schedule'
      ? 'Look at the input of the schedule: its slot must be <aws.scheduler.scheduled-time>, which EventBridge fills in.'
      : 'Give a time such as 2026-11-21T09:00:00Z, or an id of at most 64 letters, digits, dots and hyphens.',
  );
}

/** One component's place in a run, as it travels through the state machine. */
export const Ticket = z.strictObject({
  network: NetworkName,
  node: NodeName,
  protocol: z.string(),
  slot: Slot,
  fence: Fence,
  component: ComponentName,
  role: z.string(),
  pollSeconds: z.int().min(0).max(300),
});
export type Ticket = z.infer<typeof Ticket>;
