import type { SnapshotJanitor } from '../../core/snapshot-janitor.ts';
import type { InputOf, OutputOf } from '../../core/step.ts';
import type { Protocol } from '../../protocols/protocol.ts';
import type { ExpirePorts } from '../../vault/expire.ts';
import { applyRetention, planRetention } from '../../vault/retain.ts';
import type { RetainPolicy, retainNode } from './contract.ts';

export interface RetainNodePorts extends ExpirePorts {
  readonly snapshots: SnapshotJanitor;
  readonly policy: RetainPolicy;
  readonly protocolNamed: (name: string) => Protocol;
}

export async function run(
  { node }: InputOf<typeof retainNode>,
  ports: RetainNodePorts,
): Promise<OutputOf<typeof retainNode>> {
  const { vault, signer, clock, snapshots, policy, protocolNamed } = ports;
  const plan = await planRetention({
    ...{ vault, node, ...policy, now: clock.now() },
    publicKeys: [await signer.publicKeyPem()],
    snapshots: await snapshots.list(node),
    maxGapHours: (protocol) => protocolNamed(protocol).restore.maxAgeDays * 24,
  });
  const { expired, bytes, swept, ...gone } = await applyRetention(plan, ports);
  const damaged = plan.damaged.map(({ set }) => set.stored.id);
  return { bytes, swept, ...firstOf({ expired, damaged, ...gone }) };
}

const firstOf = <Lists extends Readonly<Record<string, readonly string[]>>>(lists: Lists) =>
  Object.fromEntries(Object.entries(lists).map(([name, list]) => [name, list.slice(0, 100)])) as {
    [Name in keyof Lists]: string[];
  };
