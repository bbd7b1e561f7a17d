import { type ChainAgreement, type ChainManifest, type ChainRecord, ReorganisedMeanwhile } from '../../core/chain.ts';
import { executionName } from '../../core/executions.ts';
import type { InputOf, OutputOf } from '../../core/step.ts';
import { manifestOfSlot } from '../../vault/chain.ts';
import { agreementOf, recordsOfSlot } from '../../vault/chain-run.ts';
import type { Document } from '../../vault/documents.ts';
import { HISTORY } from '../../vault/history.ts';
import { assertHeld, endLease, latestLease } from '../../vault/leases.ts';
import { type SealHistoryPorts, sealHistory } from '../../vault/seal-history.ts';
import type { ChainPorts } from '../chain-ports.ts';
import { type DeliverSoonPorts, deliverSoon } from '../deliver-soon.ts';
import type { sealChain } from './contract.ts';

export interface SealChainPorts extends ChainPorts, SealHistoryPorts, DeliverSoonPorts {}

export async function run(
  { run, fence }: InputOf<typeof sealChain>,
  ports: SealChainPorts,
): Promise<OutputOf<typeof sealChain>> {
  const attempt = { node: run.node, slot: run.slot, fence };
  const since = (await latestLease(ports.vault, run.node, run.slot))?.value.head ?? 0;
  const sealed = await manifestOfSlot(ports.vault, HISTORY, run, since);
  if (sealed !== undefined) return answer(sealed);
  await assertHeld(ports, attempt);
  const agreement = await agreementOf(ports.vault, attempt);
  const records = await recordsOfSlot(ports.vault, agreement.value);
  await refuseReorganised(agreement.value, records, ports);
  const manifest = await sealHistory(run, agreement, records, ports);
  await endLease(ports, attempt, 'sealed');
  const { node, slot } = manifest.value;
  await deliverSoon(ports, executionName(node, slot, ports.clock.now()), { node, slot });
  return answer(manifest);
}

type Records = readonly Document<ChainRecord>[];

/** Asked again after the last block was read: a chain that changed in between was read half and half. */
async function refuseReorganised({ node, base }: ChainAgreement, records: Records, ports: SealChainPorts) {
  const ends = [...(base === null ? [] : [base]), ...records.map(({ value }) => value.end)];
  const { monitor } = await ports.chainOf(node);
  const now = await monitor.hashes(
    ends.map(({ number }) => number),
    ports.signal,
  );
  const changed = ends.findIndex(({ hash }, n) => now[n] !== hash);
  const end = ends[changed];
  if (end === undefined) return;
  throw new ReorganisedMeanwhile(
    `block ${end.number} of ${monitor.name} is ${now[changed] ?? 'not there'}, and was ${end.hash} when it was exported`,
    'Nothing to do: the next run agrees on an end anew.',
  );
}

function answer({ value, sha256 }: Document<ChainManifest>): OutputOf<typeof sealChain> {
  const { seq, records, orphaned, head } = value;
  return { seq, manifest: sha256, records: records.length, orphaned: orphaned.length, head: head?.number ?? 0 };
}
