import * as z from 'zod';
import { Reason } from './manifest.ts';
import { ComponentName, Fence, NetworkName, NodeName, Slot } from './names.ts';

/** All that a run captures. At most 32: every ticket carries the list, and a state holds 256 KiB. */
const Components = z
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

/** One component's place in a run, as it travels through the state machine. */
export const Ticket = z.strictObject({
  network: NetworkName,
  node: NodeName,
  protocol: z.string(),
  slot: Slot,
  fence: Fence,
  component: ComponentName,
  role: z.string(),
  /** Of the whole run: from them and the protocol, the step that starts this capture finds what must have ended. */
  components: Components,
  pollSeconds: z.int().min(0).max(300),
});
export type Ticket = z.infer<typeof Ticket>;
