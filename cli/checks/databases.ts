import { withoutSecrets } from '../../config/secrets.ts';
import type { Reading } from '../../core/positions.ts';
import { connectionOf, describeSource, type PostgresSource } from '../../io/postgres/connection.ts';
import { dumpToolVersion, refuseOlderTool } from '../../io/postgres/dump.ts';
import { openSnapshot } from '../../io/postgres/snapshot.ts';
import type { PreparedNode } from '../nodes.ts';
import { positionsOf } from '../positions.ts';
import { bytesText } from '../render/units.ts';
import { type Check, type CheckContext, type Finding, findingsOf, ok, unknown, warn } from './check.ts';

/** Every database answers, is of a version the tools can dump, is the component's, and tells its position. */
export const databasesCheck: Check = {
  id: 'databases',
  title: 'databases',
  run: async (context) => {
    const findings: Finding[] = [];
    // One after the other: a server that is short of connections is not to be asked for many.
    for (const prepared of context.nodes) {
      for (const { component, role } of prepared.components) {
        const source = prepared.databases.get(component);
        if (source === undefined) continue;
        findings.push(...(await findingsOf(() => checkDatabase(context, prepared, source, { component, role }))));
      }
    }
    return findings;
  },
};

async function checkDatabase(
  { shell, loaded }: CheckContext,
  { node, protocol }: PreparedNode,
  source: PostgresSource,
  part: { readonly component: string; readonly role: string },
): Promise<Finding[]> {
  const connection = connectionOf(source);
  const environment = withoutSecrets(shell.env, loaded.config);
  const tool = await dumpToolVersion(connection, { environment });
  const snapshot = await openSnapshot(connection, { environment });
  try {
    refuseOlderTool(tool, snapshot.serverVersion);
    const registered = node.protocol === 'splice' ? node.participant : undefined;
    const reading = await positionsOf(protocol, part, registered)(snapshot.ask);
    const about = `${part.component}: ${describeSource(source)}, PostgreSQL ${snapshot.serverVersion}`;
    return [
      ok(`${about}, ${bytesText(snapshot.bytes)}`),
      readingFinding(part.component, reading),
      ...transportFindings(part.component, source),
    ];
  } finally {
    await snapshot.close();
  }
}

function readingFinding(component: string, reading: Reading): Finding {
  if (reading.status === 'unknown') {
    const text = `${component}: its position cannot be read: ${reading.reason}`;
    return unknown(text, 'Use a version of ledgerhold that knows this schema; sets taken now stay unproven.');
  }
  const counters = reading.counters.map(({ name, value }) => `${name} ${value}`).join(', ');
  const who = reading.identity === null ? '' : `, ${reading.identity}`;
  return ok(`${component}: ${counters === '' ? 'no counters' : counters}${who}`);
}

/** A password and a ledger's keys go over this line. */
function transportFindings(component: string, source: PostgresSource): Finding[] {
  const { host, via, sslMode } = connectionOf(source);
  const local = via.length > 0 || host.startsWith('/') || /^(localhost|127\..*|::1)$/.test(host);
  if (local || sslMode.startsWith('verify')) return [];
  const text = `${component}: the server at ${host} is not verified (sslmode ${sslMode})`;
  return [warn(text, 'Give sslRootCert, so that nobody in between can read the dump.')];
}
