import {
  type ChainAgreement,
  ChainRecord,
  chainFileName,
  HistoryDamaged,
  ReorganisedMeanwhile,
} from '../../core/chain.ts';
import { LedgerholdError } from '../../core/errors.ts';
import { Instant } from '../../core/names.ts';
import type { InputOf, OutputOf } from '../../core/step.ts';
import { KeyTaken, type Vault } from '../../core/vault.ts';
import { noEncryption } from '../../io/no-encryption.ts';
import type { ChainSource } from '../../protocols/ethereum/chain-source.ts';
import {
  type ExpectedRange,
  type ProvenRange,
  provenBlocks,
  provenFile,
} from '../../protocols/ethereum/export-range.ts';
import { keccak256 } from '../../protocols/ethereum/keccak.ts';
import { storeArtifact } from '../../vault/artifact.ts';
import { openChainFile } from '../../vault/chain-file.ts';
import { agreementOf } from '../../vault/chain-run.ts';
import { putDocument, readDocument } from '../../vault/documents.ts';
import { chainFileKey, recordKey } from '../../vault/layout.ts';
import { assertHeld } from '../../vault/leases.ts';
import type { ChainPorts } from '../chain-ports.ts';
import type { exportRange } from './contract.ts';

export interface ExportPorts extends ChainPorts {
  /** How many of the range's blocks have been read so far. */
  readonly onBlocks?: (range: ExpectedRange, count: number) => void;
}

/** A chain file that holds what was expected, wherever its bytes came from. */
interface Found {
  readonly file: ChainRecord['file'];
  readonly proven: ProvenRange;
  readonly adopted: boolean;
}

export async function run(
  { run, fence, range }: InputOf<typeof exportRange>,
  ports: ExportPorts,
): Promise<OutputOf<typeof exportRange>> {
  const attempt = { node: run.node, slot: run.slot, fence };
  await assertHeld(ports, attempt);
  const { value: agreement } = await agreementOf(ports.vault, attempt);
  const source = await ports.chainOf(run.node);
  const expected = await expectedRange(range, agreement, source, ports.signal);
  const found = await findOrStore(expected, agreement, source, ports);
  await assertHeld(ports, attempt);
  await record(found, agreement, source, ports);
  const { file, adopted } = found;
  return { file: file.name, blocks: range.end - range.start + 1, size: file.size, adopted };
}

/** What the network calls the range's ends now; they must be what was agreed on before. */
async function expectedRange(
  { start, end }: { readonly start: number; readonly end: number },
  { base, evidence }: ChainAgreement,
  { monitor }: ChainSource,
  signal: AbortSignal | undefined,
): Promise<ExpectedRange> {
  const asked = start === 0 ? [end] : [end, start - 1];
  const [endHash, parentHash] = await monitor.hashes(asked, signal);
  if (endHash === undefined) throw reorganised(`${monitor.name} has no block ${end} any more`);
  for (const { number, hash } of [evidence.end, ...(base === null ? [] : [base])]) {
    const now = number === end ? endHash : number === start - 1 ? parentHash : hash;
    if (now === hash) continue;
    throw reorganised(`block ${number} of ${monitor.name} is ${now ?? 'not there'}, and was agreed to be ${hash}`);
  }
  return { start, end, parentHash, endHash };
}

/** Names are tried in their order: one that is taken by the same blocks is ours, one by others is passed over. */
async function findOrStore(
  expected: ExpectedRange,
  agreement: ChainAgreement,
  source: ChainSource,
  ports: ExportPorts,
): Promise<Found> {
  const { compression } = source;
  for (let nth = 1; ; nth++) {
    const name = chainFileName(agreement.slot, expected, compression, nth);
    const taken = (await ports.vault.stat(chainFileKey(agreement.node, name))) !== undefined;
    const stored = taken ? undefined : await store(name, expected, agreement, source, ports);
    const found = stored ?? (await adopt({ name, compression }, expected, agreement, ports.vault));
    if (found !== undefined) return found;
  }
}

/** Undefined: somebody was faster. */
async function store(
  name: string,
  expected: ExpectedRange,
  { node }: ChainAgreement,
  { monitor, compression }: ChainSource,
  { vault, signal, onBlocks }: ExportPorts,
): Promise<Found | undefined> {
  const blocks = counted(monitor.blocks(expected.start, expected.end, signal), (count) => onBlocks?.(expected, count));
  const { bytes, proven } = provenBlocks(blocks, expected, await keccak256());
  const options = { content: 'rlp', compress: compression, encryption: noEncryption, context: {} };
  try {
    const { size, sha256, plain } = await storeArtifact(vault, chainFileKey(node, name), bytes, {
      ...options,
      ...(signal && { signal }),
    });
    const file = { name, size, sha256, compression, blockBytes: plain.size };
    return { file, proven: proven(), adopted: false };
  } catch (error) {
    if (error instanceof KeyTaken) return undefined;
    throw error;
  }
}

/** Reads what an earlier attempt has stored, whole. Undefined: it holds something else, and stays where it is. */
async function adopt(
  file: Pick<ChainRecord['file'], 'name' | 'compression'>,
  expected: ExpectedRange,
  { node }: ChainAgreement,
  vault: Vault,
): Promise<Found | undefined> {
  const { blocks, lying } = openChainFile(vault, node, file);
  try {
    const proven = await provenFile(blocks, expected, await keccak256());
    return { file: { ...file, ...lying(), blockBytes: proven.blockBytes }, proven, adopted: true };
  } catch (error) {
    // What is wrong with it says that it is not ours; a vault that is away says nothing.
    if (error instanceof LedgerholdError && error.kind === 'violation') return undefined;
    throw error;
  }
}

async function record(
  { file, proven }: Found,
  { network, node, slot, evidence }: ChainAgreement,
  { client }: ChainSource,
  { vault, clock }: ExportPorts,
): Promise<void> {
  const { start, end, transactions, rules } = proven;
  const value: ChainRecord = ChainRecord.parse({
    format: 'ledgerhold/chain-record/1',
    ...{ network, node, slot, file, start, end, transactions, rules, client, evidence },
    exportedAt: Instant.parse(clock.now().toISOString()),
  });
  const key = recordKey(node, file.name);
  const { won } = await putDocument(vault, key, value);
  if (won) return;
  const there = await readDocument(vault, key, ChainRecord);
  if (there?.value.file.sha256 === file.sha256) return;
  const remedy = 'Look at who else writes to this vault; a run at another slot exports the range again.';
  throw new HistoryDamaged(`${key} is of other bytes than lie under ${chainFileKey(node, file.name)}`, remedy);
}

async function* counted(source: AsyncIterable<Uint8Array>, tell: (count: number) => void): AsyncGenerator<Uint8Array> {
  let count = 0;
  for await (const block of source) {
    yield block;
    count += 1;
    if (count % TOLD_EVERY === 0) tell(count);
  }
  tell(count);
}

const TOLD_EVERY = 1000;

const reorganised = (what: string): ReorganisedMeanwhile =>
  new ReorganisedMeanwhile(what, 'Nothing to do: the next run agrees on an end anew.');
