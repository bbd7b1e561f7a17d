import { guardedHttp } from '../../io/http.ts';
import { outboundTo } from '../../io/http-guard.ts';
import { scanFacts, unavailableIn } from '../../protocols/splice/scan.ts';
import { type Check, type Finding, ok, warn } from './check.ts';

/** Where the config names a Scan, it tells where the network stands. */
export const scanCheck: Check = {
  id: 'scan',
  title: 'Scan',
  run: async ({ nodes, shell: { signal } }) => {
    const findings: Finding[] = [];
    for (const { node } of nodes) {
      if (node.protocol !== 'splice' || node.scan === undefined) continue;
      const facts = await scanFacts(node.scan, guardedHttp(outboundTo([node.scan])), signal);
      const { serial, logicalSynchronizer, migrationId } = facts;
      const missing = unavailableIn(facts).map((text) => warn(`${node.name}: ${text}`, REMEDY));
      const told = ok(`${node.name}: ${logicalSynchronizer}, serial ${serial}, migration ${migrationId}`);
      findings.push(...(missing.length === 0 ? [told] : missing));
    }
    return findings;
  },
};

const REMEDY = 'Check `scan`. A set is taken all the same, and records that this was unavailable.';
