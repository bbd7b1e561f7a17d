import * as z from 'zod';
import { Instant, NodeName, Seq } from './names.ts';

/** Somebody needs a set: `holds/<node>/<n>.json`. The newest of one holder on one set is the one that counts. */
export const Hold = z.strictObject({
  format: z.literal('ledgerhold/hold/1'),
  node: NodeName,
  /** The version; like the node the one that its key says. */
  n: z.int().min(1),
  seq: Seq,
  /** Who, and what for, such as `restore of validator-1 by run-17`. */
  by: z.string().min(1).max(200),
  at: Instant,
  /** Until then the set is kept. To let go earlier, the same holder writes a version with the time of now. */
  until: Instant,
});
export type Hold = z.infer<typeof Hold>;
