import { AnotherChain, type BlockRef, type ChainAgreement, endOf, FILES_PER_RUN } from '../../core/chain.ts';
import type { InputOf, OutputOf } from '../../core/step.ts';
import type { ChainSource } from '../../protocols/ethereum/chain-source.ts';
import { agreementOf } from '../../vault/chain-run.ts';
import { putDocument } from '../../vault/documents.ts';
import { type HistoryEntry, readAgreement, readHistory } from '../../vault/history.ts';
import { agreementKey } from '../../vault/layout.ts';
import { assertHeld } from '../../vault/leases.ts';
import type { ChainPorts } from '../chain-ports.ts';
import type { agreeEnd } from './contract.ts';

export async function run(
  { run, fence }: InputOf<typeof agreeEnd>,
  ports: ChainPorts,
): Promise<OutputOf<typeof agreeEnd>> {
  const attempt = { node: run.node, slot: run.slot, fence };
  await assertHeld(ports, attempt);
  // A repeated call of the same attempt: its ranges are planned by what it agreed on first.
  const known = await readAgreement(ports.vault, attempt);
  if (known !== undefined) return answer(known.value);
  const { network, node, slot } = run;
  const found = await agreed(node, ports);
  const agreement: ChainAgreement = { format: 'ledgerhold/chain-agreement/1', network, node, slot, fence, ...found };
  await assertHeld(ports, attempt);
  // Another call of this attempt may have been first: then its agreement counts.
  await putDocument(ports.vault, agreementKey(attempt), agreement);
  return answer((await agreementOf(ports.vault, attempt)).value);
}

const answer = ({ base, evidence, orphaned }: ChainAgreement): OutputOf<typeof agreeEnd> => ({
  start: base === null ? 0 : base.number + 1,
  end: evidence.end.number,
  orphaned: orphaned.length,
});

type Found = Pick<ChainAgreement, 'after' | 'base' | 'orphaned' | 'evidence'>;

async function agreed(node: string, { vault, chainOf, signal }: ChainPorts): Promise<Found> {
  const { entries, head } = await readHistory(vault, node);
  const source = await chainOf(node);
  const standing = entries.filter(({ canonical }) => canonical);
  const last = standing.at(-1)?.record.value.end;
  const lowest = last?.number ?? 0;
  const highest = (last?.number ?? -1) + source.blocksPerFile * FILES_PER_RUN;
  const evidence = await source.agree(lowest, highest, signal);
  await refuseAnotherChain(standing, source, signal);
  const orphaned = await leftBehind(standing, source, signal);
  const base = endOf(standing.at(-1 - orphaned.length)?.record.value);
  return { after: head?.value.seq ?? 0, base, orphaned, evidence };
}

/** A chain that has left every record, genesis too, is not reorganised: it is another one. */
async function refuseAnotherChain([first]: readonly HistoryEntry[], { monitor }: ChainSource, signal?: AbortSignal) {
  const start = first?.record.value.start;
  if (start === undefined) return;
  const [now] = await monitor.hashes([start.number], signal);
  if (now === start.hash) return;
  throw new AnotherChain(
    `block ${start.number} of ${monitor.name} is ${now ?? 'not there'}; the history begins with ${start.hash}`,
    'Correct the address of the monitor; for a chain that was begun anew, give the node another name.',
  );
}

/** Ends asked for at once; a reorganisation that reaches further back is looked for in the next page. */
const ENDS_AT_ONCE = 64;

/**
 * The newest records, oldest first, whose end the chain calls otherwise by now. That the monitor says so is not enough: as
 * many validators must say the same as for any end.
 */
async function leftBehind(
  standing: readonly HistoryEntry[],
  source: ChainSource,
  signal: AbortSignal | undefined,
): Promise<Found['orphaned']> {
  const orphaned: Found['orphaned'] = [];
  for (let to = standing.length; to > 0; to -= ENDS_AT_ONCE) {
    const page = standing.slice(Math.max(0, to - ENDS_AT_ONCE), to);
    const ends = page.map(({ record }) => record.value.end);
    const now = await source.monitor.hashes(
      ends.map(({ number }) => number),
      signal,
    );
    const kept = ends.findLastIndex(({ hash }, n) => now[n] === hash);
    for (const { record } of page.slice(kept + 1).toReversed()) {
      const { key, sha256, value } = record;
      orphaned.unshift({ key, sha256, now: await confirmed(value.end, source, signal) });
    }
    if (kept >= 0) break;
  }
  return orphaned;
}

async function confirmed({ number }: BlockRef, source: ChainSource, signal: AbortSignal | undefined) {
  const { end } = await source.agree(number, number, signal);
  return end.hash;
}
