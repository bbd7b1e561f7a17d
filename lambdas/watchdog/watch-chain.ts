import { ChainRecord } from '../../core/chain.ts';
import { type CurrentSettings, everySecondsOf } from '../../core/chain-settings.ts';
import { type Finding, statusOf, violation } from '../../core/proof.ts';
import type { Vault } from '../../core/vault.ts';
import { readDocument } from '../../vault/documents.ts';
import { chainFileKey } from '../../vault/layout.ts';
import type { NewestAttempt } from '../../vault/newest-attempt.ts';
import { newestManifests, newestSigned } from '../../vault/newest-history.ts';
import { orFinding } from '../../vault/prove-chain.ts';
import type { WatchedNode } from './contract.ts';
import type { WatchdogPorts } from './run.ts';
import type { Turn } from './watch-node.ts';

const BEGINNING = new Date(0);

/** The newest manifest of a chain's history that is signed: its age, and whether what it brought lies there. */
export async function measureHistory(
  watched: WatchedNode,
  settings: CurrentSettings,
  turn: Turn,
  ports: WatchdogPorts,
) {
  const { node, components } = watched;
  const { network, now, trust } = turn;
  const { vault, gauges, journal } = ports;
  const signed = await newestSigned(vault, node, trust, BEGINNING);
  for await (const newest of newestManifests(vault, node)) {
    if (newest.value.seq !== signed?.value.seq)
      journal.note('found', { node, code: 'SIGNATURE_WRONG', text: newest.key });
    break;
  }
  const findings: Finding[] = signed === undefined ? [] : await missing(vault, node, signed.value.records);
  const age = ageBy(settings, signed?.value.sealedAt, now);
  if (age !== undefined) {
    const inProportion = (age * watched.everySeconds) / everySecondsOf(settings);
    for (const component of components) gauges.set('RpoAge', inProportion, { network, node, component });
  }
  for (const { level, code, text } of findings) journal.note('found', { node, level, code, text });
  journal.note('newest of the history', { node, seq: signed?.value.seq ?? 0, proof: statusOf(findings) });
  gauges.set('Damages', findings.length, { network, node });
  // What is in a history was verified block by block; these two are questions about sets.
  gauges.set('Unproven', 0, { network, node });
  gauges.set('OrderViolations', 0, { network, node });
}

/**
 * In seconds. None of a chain that is switched off; one that was set anew has, like a first run, the whole of its period
 * from then on. Undefined: there is none to tell.
 */
function ageBy({ enabled, since }: CurrentSettings, sealedAt: string | undefined, now: Date): number | undefined {
  if (!enabled) return 0;
  const from = [sealedAt, since].flatMap((each) => (typeof each === 'string' ? [Date.parse(each)] : []));
  return from.length === 0 ? undefined : Math.max(0, now.getTime() - Math.max(...from)) / 1000;
}

async function missing(
  vault: Vault,
  node: string,
  records: readonly { readonly key: string; readonly sha256: string }[],
) {
  const findings: Finding[] = [];
  for (const { key, sha256 } of records) {
    const record = await orFinding(findings, key, () => readDocument(vault, key, ChainRecord));
    if (record?.sha256 !== sha256) {
      findings.push(violation('RECORD_CHANGED', key, `${key} is missing, or not the record that was sealed`));
      continue;
    }
    const { name, size } = record.value.file;
    const file = chainFileKey(node, name);
    const there = await vault.stat(file);
    if (there?.size !== size) findings.push(violation('ARTIFACT_MISSING', file, `${file} is missing or cut`));
  }
  return findings;
}

export const stalled = ({ lease }: NewestAttempt): number =>
  lease?.state === 'failed' && lease.error?.name === 'ConsensusStalled' ? 1 : 0;
