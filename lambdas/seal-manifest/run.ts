import { setId } from '../../core/names.ts';
import type { Signer } from '../../core/ports.ts';
import type { InputOf, OutputOf } from '../../core/step.ts';
import type { Protocol } from '../../protocols/protocol.ts';
import { manifestOfSlot, SETS } from '../../vault/chain.ts';
import { assertHeld, endLease, type LeasePorts, latestLease } from '../../vault/leases.ts';
import { sealManifest as seal } from '../../vault/seal.ts';
import type { StoredManifest } from '../../vault/sets.ts';
import type { sealManifest } from './contract.ts';

export interface SealManifestPorts extends LeasePorts {
  readonly signer: Signer;
  readonly endorser?: Signer;
  readonly protocolNamed: (name: string) => Protocol;
}

export async function run(
  { run, fence }: InputOf<typeof sealManifest>,
  ports: SealManifestPorts,
): Promise<OutputOf<typeof sealManifest>> {
  const attempt = { node: run.node, slot: run.slot, fence };
  const since = (await latestLease(ports.vault, run.node, run.slot))?.value.head ?? 0;
  const sealed = await manifestOfSlot(ports.vault, SETS, run, since);
  if (sealed !== undefined) return answer(sealed);
  await assertHeld(ports, attempt);
  const manifest = await seal(run, fence, since, ports.protocolNamed(run.protocol), ports);
  await endLease(ports, attempt, 'sealed');
  return answer(manifest);
}

function answer({ value, sha256 }: StoredManifest): OutputOf<typeof sealManifest> {
  const { node, seq, verdict } = value;
  return { set: setId(node, seq), seq, manifest: sha256, verdict: verdict.status === 'proven' ? 'proven' : 'unknown' };
}
