import * as z from 'zod';
import { FileCompression } from '../core/chain.ts';

/** A node's JSON-RPC: its address, or the secret that holds it. */
const Rpc = z.union([
  z.strictObject({ name: z.string(), url: z.url({ protocol: /^https?$/ }) }),
  z.strictObject({ name: z.string(), secretArn: z.string().startsWith('arn:') }),
]);

/** One chain as its steps' environment names it; no secret is in it. */
export const DeployedChain = z.strictObject({
  client: z.enum(['geth', 'quorum', 'besu']),
  monitor: Rpc,
  validators: z.array(Rpc).min(1),
  agreement: z.union([z.literal('all'), z.int().min(1)]),
  confirmations: z.int().min(0),
  blocksPerFile: z.int().min(1),
  compression: FileCompression,
});
export type DeployedChain = z.infer<typeof DeployedChain>;

/** What `CHAINS` holds, as JSON: by node. */
export const DeployedChains = z.record(z.string(), DeployedChain);
