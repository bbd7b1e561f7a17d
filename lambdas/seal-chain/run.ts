import {
  type ChainAgreement,
  ChainManifest,
  type ChainRecord,
  endOf,
  HistoryDamaged,
  HistoryMoved,
  ReorganisedMeanwhile,
} from '../../core/chain.ts';
import { Instant, Seq } from '../../core/names.ts';
import type { Signer } from '../../core/ports.ts';
import type { InputOf, OutputOf } from '../../core/step.ts';
import { manifestOfSlot, readLink } from '../../vault/chain.ts';
import { agreementOf, recordsOfSlot } from '../../vault/chain-run.ts';
import { type Document, putSigned } from '../../vault/documents.ts';
import { HISTORY, readAgreement } from '../../vault/history.ts';
import { agreementKey, chainFileKey, chainManifestKey } from '../../vault/layout.ts';
import { assertHeld, endLease, latestLease } from '../../vault/leases.ts';
import { publishKey } from '../../vault/trust.ts';
import type { ChainPorts } from '../chain-ports.ts';
import type { sealChain } from './contract.ts';

export interface SealChainPorts extends ChainPorts {
  readonly signer: Signer;
  readonly endorser?: Signer;
}

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
  const records = await recordsOfSlot(ports.vault, agreement);
  refuseGap(agreement, records);
  await refuseMissing(records, ports);
  await refuseReorganised(agreement, records, ports);
  const manifest = await seal({ run, fence }, agreement, records, ports);
  await endLease(ports, attempt, 'sealed');
  return answer(manifest);
}

type Records = readonly Document<ChainRecord>[];

function refuseGap({ base, evidence }: ChainAgreement, records: Records): void {
  const last = records.at(-1)?.value.end ?? base;
  if (last?.number === evidence.end.number && last.hash === evidence.end.hash) return;
  throw new HistoryDamaged(
    `the records of this slot lead to block ${last?.number ?? 'none'}, and the agreed end is block ${evidence.end.number}`,
    'Run again: what is whole is taken over, and the rest is exported.',
  );
}

async function refuseMissing(records: Records, { vault }: SealChainPorts): Promise<void> {
  for (const { value } of records) {
    const key = chainFileKey(value.node, value.file.name);
    const there = await vault.stat(key);
    if (there?.size === value.file.size) continue;
    const what = there === undefined ? 'is missing' : `has ${there.size} bytes, not ${value.file.size}`;
    throw new HistoryDamaged(`${key} ${what}`, 'Look at who else writes to this vault, then run at another slot.');
  }
}

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

/** Takes the number right behind the history that was agreed upon, or none. */
async function seal(
  { run, fence }: InputOf<typeof sealChain>,
  agreement: ChainAgreement,
  records: Records,
  { vault, clock, signer, endorser }: SealChainPorts,
): Promise<Document<ChainManifest>> {
  const { node, after, base, orphaned } = agreement;
  const before = after === 0 ? undefined : await readLink(vault, HISTORY, node, after);
  const cited = await readAgreement(vault, { node, slot: run.slot, fence });
  const manifest = ChainManifest.parse({
    format: 'ledgerhold/chain-manifest/1',
    ...{ ...run, fence, seq: Seq.parse(after + 1), previous: before?.sha256 ?? null },
    sealedAt: Instant.parse(clock.now().toISOString()),
    agreement: { key: agreementKey({ ...run, fence }), sha256: cited?.sha256 },
    records: records.map(({ key, sha256 }) => ({ key, sha256 })),
    orphaned: orphaned.map(({ key, sha256 }) => ({ key, sha256 })),
    head: endOf(records.at(-1)?.value) ?? base,
    signer: await publishKey(vault, signer, endorser),
  });
  await putSigned(vault, signer, chainManifestKey(node, manifest.seq), manifest);
  const there = await readLink(vault, HISTORY, node, manifest.seq);
  if (there?.value.slot === run.slot && there.value.fence === fence) return there;
  throw new HistoryMoved(
    `manifest ${manifest.seq} of ${node} is of slot ${there?.value.slot ?? 'none'}: another run was faster`,
    'Run again: it goes on from there.',
  );
}

function answer({ value, sha256 }: Document<ChainManifest>): OutputOf<typeof sealChain> {
  const { seq, records, orphaned, head } = value;
  return { seq, manifest: sha256, records: records.length, orphaned: orphaned.length, head: head?.number ?? 0 };
}
