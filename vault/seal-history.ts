import {
  type ChainAgreement,
  ChainManifest,
  type ChainRecord,
  type ChainRun,
  endOf,
  HistoryDamaged,
  HistoryMoved,
} from '../core/chain.ts';
import { Instant, Seq } from '../core/names.ts';
import type { Clock, Signer } from '../core/ports.ts';
import type { Vault } from '../core/vault.ts';
import { readLink } from './chain.ts';
import { type Document, putSigned } from './documents.ts';
import { HISTORY } from './history.ts';
import { chainFileKey, chainManifestKey } from './layout.ts';
import { publishKey } from './trust.ts';

export interface SealHistoryPorts {
  readonly vault: Vault;
  readonly clock: Clock;
  readonly signer: Signer;
  /** The signer before this one, once, when the key is changed. */
  readonly endorser?: Signer;
}

type Records = readonly Document<ChainRecord>[];

/**
 * Takes the number right behind the history that was agreed upon, or none: the records must lead to the agreed end, and
 * their files lie there. Rejects with `HistoryDamaged`, or with `HistoryMoved` if another run was faster.
 */
export async function sealHistory(
  run: ChainRun,
  agreement: Document<ChainAgreement>,
  records: Records,
  ports: SealHistoryPorts,
): Promise<Document<ChainManifest>> {
  const { vault, clock, signer, endorser } = ports;
  refuseGap(agreement.value, records);
  await refuseMissing(records, vault);
  const { node, fence, after, base, orphaned } = agreement.value;
  const before = after === 0 ? undefined : await readLink(vault, HISTORY, node, after);
  const manifest = ChainManifest.parse({
    format: 'ledgerhold/chain-manifest/1',
    ...{ ...run, fence, seq: Seq.parse(after + 1), previous: before?.sha256 ?? null },
    sealedAt: Instant.parse(clock.now().toISOString()),
    agreement: { key: agreement.key, sha256: agreement.sha256 },
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

function refuseGap({ base, evidence }: ChainAgreement, records: Records): void {
  const last = records.at(-1)?.value.end ?? base;
  if (last?.number === evidence.end.number && last.hash === evidence.end.hash) return;
  throw new HistoryDamaged(
    `the records of this slot lead to block ${last?.number ?? 'none'}, and the agreed end is block ${evidence.end.number}`,
    'Run again: what is whole is taken over, and the rest is exported.',
  );
}

async function refuseMissing(records: Records, vault: Vault): Promise<void> {
  for (const { value } of records) {
    const key = chainFileKey(value.node, value.file.name);
    const there = await vault.stat(key);
    if (there?.size === value.file.size) continue;
    const what = there === undefined ? 'is missing' : `has ${there.size} bytes, not ${value.file.size}`;
    throw new HistoryDamaged(`${key} ${what}`, 'Look at who else writes to this vault, then run at another slot.');
  }
}
