import { setId } from '../../core/names.ts';
import { readHead, SETS } from '../../vault/chain.ts';
import { manifestKey } from '../../vault/layout.ts';
import { headSeq } from '../../vault/sets.ts';
import { standingOf } from '../standing.ts';
import { type Check, type CheckContext, type Finding, fail, findingsOf, ok, unknown } from './check.ts';

/** The newest documents of every node can be read, and the next set can be chained behind the newest. */
export const documentsCheck: Check = {
  id: 'documents',
  title: 'sets and leases',
  run: async (context) => {
    const findings: Finding[] = [];
    for (const { node } of context.nodes) {
      findings.push(...(await findingsOf(() => checkHead(context, node.name))));
      findings.push(...(await unreadable(context, node.name)));
    }
    return findings;
  },
};

async function checkHead({ vault }: CheckContext, node: string): Promise<Finding[]> {
  const head = await readHead(vault, SETS, node);
  if (head === undefined) return [ok(`${node}: no set yet`)];
  return [ok(`${setId(node, head.value.seq)} is the newest, and the next can be chained behind it`)];
}

async function unreadable({ vault, shell }: CheckContext, node: string): Promise<Finding[]> {
  const head = manifestKey(node, await headSeq(vault, node));
  const { damaged } = await standingOf(vault, node, shell.clock.now());
  const remedy = 'Run `ledgerhold verify --all`, and compare what it names with another copy of the vault.';
  // Damage to the head is told already, with what to do about it.
  return damaged
    .filter(({ about }) => about !== head)
    .map(({ level, text }) => (level === 'violation' ? fail(text, remedy) : unknown(text, remedy)));
}
