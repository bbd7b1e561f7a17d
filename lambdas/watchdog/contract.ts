import * as z from 'zod';
import { ChainSettings } from '../../core/chain-settings.ts';
import { ComponentName, NetworkName, NodeName } from '../../core/names.ts';
import { defineStep } from '../../core/step.ts';

/** What a node's backups should be like. */
export const WatchedNode = z.strictObject({
  node: NodeName,
  /** As `cronOf` and `lastStart` in core take them. */
  everySeconds: z.int().min(60),
  timeZone: z.string(),
  components: z.array(ComponentName).min(1).max(32),
  /** It is a chain, its one component its history: what the configuration says, until somebody has set it. */
  chain: ChainSettings.optional(),
  /** ARNs of secrets that a capture signs in with. */
  credentials: z.array(z.string()).max(4),
  /** Name of the secret with the identities of the newest set, if there is one. */
  identities: z.string().optional(),
});
export type WatchedNode = z.infer<typeof WatchedNode>;

/** Measures, from what really lies there, whether every node could be restored now. Its numbers are its output. */
export const watchdog = defineStep({
  name: 'watchdog',
  env: ['VAULT_BUCKET', 'VAULT_PREFIX', 'VAULT_ACCOUNT', 'SIGNING_KEY', 'ENVELOPE_KEY', 'BUCKET_KEY'],
  /** What its schedule hands over: a Lambda's environment has no room for it. */
  input: z.strictObject({
    network: NetworkName,
    /** Whether a component of any node is captured as a snapshot. */
    snapshots: z.boolean(),
    /** Whether this turn also measures what there is one of in the network: keys, and the quota. */
    ofNetwork: z.boolean(),
    /** ARNs of the keys of secrets that hold identities; the keys of the vault are in the environment. */
    keys: z.array(z.string()).max(100),
    nodes: z.array(WatchedNode).max(1000),
  }),
  output: z.strictObject({ watched: z.int(), unreadable: z.int() }),
  errors: [],
});
