import { type Finding, violation } from '../core/proof.ts';
import type { Artifact } from '../core/receipts.ts';
import type { Vault } from '../core/vault.ts';

/** One listing answers for every artifact of a node what a request each would. */
export async function sizesUnder(vault: Vault, prefix: string): Promise<ReadonlyMap<string, number>> {
  const sizes = new Map<string, number>();
  for await (const { key, size } of vault.list(prefix)) sizes.set(key, size);
  return sizes;
}

export function proveSize(
  { key, size }: Pick<Artifact, 'key' | 'size'>,
  sizes: ReadonlyMap<string, number>,
): Finding[] {
  const found = sizes.get(key);
  if (found === size) return [];
  const text = found === undefined ? `${key} is missing` : `${key} has ${found} bytes, and ${size} were sealed`;
  return [violation(found === undefined ? 'ARTIFACT_MISSING' : 'ARTIFACT_CUT', key, text)];
}
