import * as z from 'zod';
import { Fingerprint } from './manifest.ts';
import { Instant, NetworkName, NodeName, Sha256 } from './names.ts';

/** The signed record of a restore that was tried in isolation: `drills/<node>/<n>.json`. */
export const DrillRecord = z.strictObject({
  format: z.literal('ledgerhold/drill/1'),
  network: NetworkName,
  node: NodeName,
  /** The set, and the digest of its manifest. */
  set: z.string(),
  manifest: Sha256,
  startedAt: Instant,
  endedAt: Instant,
  outcome: z.enum(['passed', 'failed', 'unknown']),
  /** In order. Their sum is the measured recovery time. */
  steps: z.array(
    z.strictObject({
      name: z.string(),
      milliseconds: z.int().min(0),
      outcome: z.enum(['passed', 'failed', 'unknown']),
      text: z.string(),
    }),
  ),
  rtoMilliseconds: z.int().min(0),
  signer: Fingerprint,
});
export type DrillRecord = z.infer<typeof DrillRecord>;
