import type { Finding } from '../core/proof.ts';
import type { Vault } from '../core/vault.ts';
import { chainPrefix, FORMAT_KEY } from './layout.ts';

/** What may lie under `chain/<node>/`, cited or not yet. */
const OF_A_CHAIN =
  /^([^/]+\.rlp(\.gz|\.zst)?|records\/[^/]+\.json|runs\/[^/]+\/\d+\/agreement\.json|manifests\/\d{8}(\.json|-[0-9a-f]{64}\.sig))$/;

/** Whether an object of that name is of a chain's history: its files, documents and manifests, and nothing else. */
export const isOfChain = (node: string, key: string): boolean =>
  key.startsWith(chainPrefix(node)) && OF_A_CHAIN.test(key.slice(chainPrefix(node).length));

/** What a vault's keys begin with; `docs/formats/vault-v1.md` has them all. */
const FOLDERS = [
  ...['keys', 'sets', 'chain', 'leases', 'holds', 'drills', 'members', 'deliveries', 'proofs', 'settings'],
  // At a member: what was left there by looking whether anything can be put there, and no more than that.
  'canary',
];

/** Enough to find out whose they are; a stranger's million objects are not told one by one. */
const NAMED = 3;

/**
 * What lies beside a chain's history: on its way (files come before the manifest that cites them), left by a run that was
 * broken off, or a stranger's. No obstacle: nothing of the history rests on it.
 */
export function tellUncited(node: string, keys: Iterable<string>, cited: ReadonlySet<string>): Finding[] {
  const beside = [...keys].filter((key) => !cited.has(key));
  const ours = (key: string): boolean => isOfChain(node, key);
  const why = 'not yet, or left by a run that was broken off';
  return [
    ...told('OBJECT_UNCITED', chainPrefix(node), beside.filter(ours), `that no manifest of ${node} cites: ${why}`),
    ...told(
      'OBJECT_FOREIGN',
      chainPrefix(node),
      beside.filter((key) => !ours(key)),
      'that no vault has',
    ),
  ];
}

/** Objects outside all folders of a vault: told, since nothing of a vault rests on them. */
export async function tellForeign(vault: Vault): Promise<Finding[]> {
  const foreign: string[] = [];
  for (let after: string | undefined = ''; after !== undefined; ) {
    const from: string = after;
    after = undefined;
    for await (const { key } of vault.list('', from === '' ? undefined : from)) {
      const [folder = '', rest] = key.split('/');
      if (rest !== undefined && FOLDERS.includes(folder)) {
        // '0' is the byte after '/': skips the whole folder in one step.
        after = `${folder}0`;
        break;
      }
      if (key !== FORMAT_KEY) foreign.push(key);
    }
  }
  return told('OBJECT_FOREIGN', vault.url, foreign, 'that no vault has');
}

function told(code: string, about: string, keys: readonly string[], what: string): Finding[] {
  if (keys.length === 0) return [];
  const more = keys.length > NAMED ? ` and ${keys.length - NAMED} more` : '';
  const text = `${keys.length} object${keys.length === 1 ? '' : 's'} ${what} (${keys.slice(0, NAMED).join(', ')}${more})`;
  return [{ level: 'note', code, about, text }];
}
