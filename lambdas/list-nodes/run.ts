import { NodeName } from '../../core/names.ts';
import type { InputOf, OutputOf } from '../../core/step.ts';
import type { Vault } from '../../core/vault.ts';
import { nodesIn } from '../../vault/sets.ts';
import type { listNodes } from './contract.ts';

export async function run(
  _: InputOf<typeof listNodes>,
  { vault }: { readonly vault: Vault },
): Promise<OutputOf<typeof listNodes>> {
  return { nodes: (await nodesIn(vault)).map((node) => NodeName.parse(node)) };
}
