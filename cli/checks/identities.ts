import { guardedHttp } from '../../io/http.ts';
import { outboundTo } from '../../io/http-guard.ts';
import { fetchIdentities } from '../../protocols/splice/identities.ts';
import { identitiesSource, originsOf } from '../captures.ts';
import { type Check, type CheckContext, type Finding, findingsOf, ok } from './check.ts';

/** The validator's endpoint answers, and what it answers is the node's identities. Nothing of it is kept. */
export const identitiesCheck: Check = {
  id: 'identities',
  title: 'identities',
  run: async (context) => {
    const findings: Finding[] = [];
    for (const { node } of context.nodes) {
      if (node.protocol === 'splice') findings.push(...(await findingsOf(() => checkEndpoint(context, node))));
    }
    return findings;
  },
};

async function checkEndpoint(
  { loaded, shell: { clock, signal } }: CheckContext,
  node: Parameters<typeof identitiesSource>[1],
): Promise<Finding[]> {
  const calls = { http: guardedHttp(outboundTo(originsOf(node))), now: () => clock.now(), signal };
  const { body, id, keys, class: form } = await fetchIdentities(identitiesSource(loaded, node), calls);
  body.fill(0);
  return [ok(`${node.name}: ${id}, ${keys} keys, ${form}`)];
}
