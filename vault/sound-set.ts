import type { Vault } from '../core/vault.ts';
import type { Protocol } from '../protocols/protocol.ts';
import { proveSet, type SetProof } from './prove-set.ts';
import { NoSuchSet, readManifest, type StoredManifest } from './sets.ts';
import { type SetReport, verify } from './verify.ts';

/** A set with all that its documents prove. Its artifacts' bytes are proved by whoever reads them. */
export interface ProvedSet {
  readonly manifest: StoredManifest;
  readonly report: SetReport;
  readonly proof: SetProof;
}

export interface ProveOptions {
  readonly vault: Vault;
  /** PEM, from outside the vault. */
  readonly publicKeys: readonly string[];
  readonly protocolNamed: (name: string) => Protocol;
  readonly signal?: AbortSignal;
}

/** Proves one set by its documents and its place in the chain. Rejects with `NoSuchSet`. */
export async function proveOne(node: string, seq: number, options: ProveOptions): Promise<ProvedSet> {
  const id = `${node}/${seq}`;
  const manifest = await readManifest(options.vault, node, seq);
  const { sets } = await verify({ ...options, sets: [id], depth: 'structure' });
  const report = sets.find(({ set }) => set === id);
  if (manifest === undefined || report === undefined) throw new NoSuchSet(id, []);
  return { manifest, report, proof: await proveSet(options.vault, manifest, options.protocolNamed) };
}
