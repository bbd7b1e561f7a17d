import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import * as z from 'zod';
import { KaleidoHistory } from '../config/kaleido.ts';
import type { EthereumNode } from '../config/nodes.ts';
import {
  AnotherChain,
  type ChainAgreement,
  type ChainManifest,
  ChainRecord,
  ChainRun,
  type Evidence,
  HistoryDamaged,
} from '../core/chain.ts';
import { LedgerholdError } from '../core/errors.ts';
import { Fence, Instant, Slot } from '../core/names.ts';
import { slotAt } from '../core/schedule.ts';
import { KeyTaken, type Vault } from '../core/vault.ts';
import { openDecompressed } from '../io/decompressed-file.ts';
import { noEncryption } from '../io/no-encryption.ts';
import { holderGone, thisHolder } from '../local/holder.ts';
import { cutBlocks } from '../protocols/ethereum/cut-blocks.ts';
import { type ExpectedRange, type ProvenRange, provenBlocks, provenFile } from '../protocols/ethereum/export-range.ts';
import { keccak256 } from '../protocols/ethereum/keccak.ts';
import { storeArtifact } from '../vault/artifact.ts';
import { type Lying, openChainFile } from '../vault/chain-file.ts';
import { agreementOf } from '../vault/chain-run.ts';
import { type Document, putDocument, readDocument } from '../vault/documents.ts';
import { claimVaultFormat } from '../vault/format.ts';
import { HISTORY, readHistory } from '../vault/history.ts';
import { agreementKey, chainFileKey, recordKey } from '../vault/layout.ts';
import { assertHeld, claim, endLease, type LeasePorts } from '../vault/leases.ts';
import { sealHistory } from '../vault/seal-history.ts';
import { chainSourceOf } from './chain-source.ts';
import { type Loaded, openSigner } from './context.ts';
import { slotRunning } from './run-backup.ts';
import type { Shell } from './shell.ts';
import { UsageError } from './usage-error.ts';
import { openVault } from './vaults.ts';

/** There is a history already; another one cannot be put before it. */
export class HistoryExists extends LedgerholdError {
  override readonly name = 'HistoryExists';
  readonly kind = 'refused';
}

export interface Imported {
  readonly manifest: Document<ChainManifest>;
  readonly records: readonly ChainRecord[];
  /** Files that the history itself says are not of the chain: they are left where they are. */
  readonly leftOut: readonly string[];
  readonly vault: Vault;
}

type Entry = KaleidoHistory['history'][number];

/**
 * Takes over a history with its files, under the names they have. Each block is verified, the files must follow each other
 * from genesis on as the history says, and the validators must call the last block so today. Nothing is seen of it before
 * all of that holds; a repeated call goes on where the last one ended.
 */
export async function importHistory(
  shell: Shell,
  loaded: Loaded,
  node: EthereumNode,
  from: { readonly history: string; readonly folder: string },
): Promise<Imported> {
  const vault = await openVault(loaded.config.vault, loaded.path);
  const { entries, leftOut } = await entriesOf(resolve(shell.cwd, from.history));
  const { network } = loaded.config;
  await claimVaultFormat(vault, network);
  const history = await readHistory(vault, node.name);
  if (history.head !== undefined) {
    const remedy = 'Import into a vault, or under a node name, that has no history yet.';
    throw new HistoryExists(`${node.name} has a history already, up to manifest ${history.head.value.seq}`, remedy);
  }
  const source = await chainSourceOf(loaded, node, shell);
  const evidence = await agreed(entries, source, shell.signal);
  const slot = Slot.parse(`import-${slotAt(shell.clock.now())}`);
  const ports = { vault, clock: shell.clock, holderGone };
  const run = ChainRun.parse({ network, node: node.name, protocol: node.protocol, slot, reason: 'manual' });
  const claimed = await claim(ports, HISTORY, thisHolder(), run);
  if (claimed.outcome === 'running') throw slotRunning(slot, claimed.lease.fence);
  if (claimed.outcome === 'sealed') throw new UsageError(`slot ${slot} is sealed already`, 'Try again in a second.');
  const fence = Fence.parse(claimed.fence);
  const attempt = { ...run, fence };
  try {
    const value: ChainAgreement = {
      format: 'ledgerhold/chain-agreement/1',
      ...{ network, node: node.name, slot, fence, after: 0, base: null, orphaned: [], evidence },
    };
    await putDocument(vault, agreementKey(attempt), value);
    const agreement = await agreementOf(vault, attempt);
    const records: Document<ChainRecord>[] = [];
    for (const entry of entries) {
      await assertHeld(ports, attempt);
      records.push(await importFile(entry, resolve(shell.cwd, from.folder), { run, node, evidence, ports, shell }));
    }
    const manifest = await sealHistory(run, agreement, records, { ...ports, signer: await openSigner(loaded) });
    await endLease(ports, attempt, 'sealed');
    return { manifest, records: records.map((record) => record.value), leftOut, vault };
  } catch (error) {
    const { name, message } = error instanceof Error ? error : new Error(String(error));
    await endLease(ports, attempt, 'failed', { name, message });
    throw error;
  }
}

async function entriesOf(file: string): Promise<{ entries: readonly Entry[]; leftOut: string[] }> {
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new UsageError(`${file} cannot be read`, 'Give the JSON that the service hands out.', { cause });
  });
  const parsed = KaleidoHistory.safeParse(jsonOf(file, text));
  if (!parsed.success) throw new UsageError(`${file} is no history: ${z.prettifyError(parsed.error)}`, FORM);
  const { history } = parsed.data;
  const entries = history.filter((entry) => entry.canonical_chain);
  if (entries.length === 0) throw new UsageError(`${file} names no file of the chain`, FORM);
  const ordered = entries.toSorted((a, b) => a.start_block.block - b.start_block.block);
  refuseGaps(file, ordered);
  return { entries: ordered, leftOut: history.flatMap((each) => (each.canonical_chain ? [] : [each.file])) };
}

const FORM = 'It must have `history` with `file`, `canonical_chain`, `start_block` and `end_block` of each file.';

function jsonOf(file: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new UsageError(`${file} is not JSON`, FORM, { cause });
  }
}

/** Told before the first file is read. */
function refuseGaps(file: string, entries: readonly Entry[]): void {
  let next = 0;
  let parent: string | undefined;
  for (const { file: name, start_block: start, end_block: end } of entries) {
    const remedy = 'Get the history and all of its files again; what is missing cannot be made up for.';
    if (start.block !== next) {
      throw new HistoryDamaged(
        `${file}: ${name} begins with block ${start.block}, and block ${next} was to come`,
        remedy,
      );
    }
    if (parent !== undefined && start.parent_hash !== parent) {
      throw new HistoryDamaged(
        `${file}: ${name} follows ${start.parent_hash}, and block ${next - 1} is ${parent}`,
        remedy,
      );
    }
    next = end.block + 1;
    parent = end.hash;
  }
}

/** The validators' word on the last block: an imported history has no better evidence than today's. */
async function agreed(
  entries: readonly Entry[],
  source: Awaited<ReturnType<typeof chainSourceOf>>,
  signal: AbortSignal,
): Promise<Evidence> {
  const last = entries.at(-1)?.end_block;
  if (last === undefined) throw new RangeError('a history without files');
  const evidence = await source.agree(last.block, last.block, signal);
  if (evidence.end.hash === last.hash) return evidence;
  throw new AnotherChain(
    `the history ends with block ${last.block}, ${last.hash}; the network calls that block ${evidence.end.hash}`,
    'Correct the address of the monitor, or take the history of this chain.',
  );
}

interface World {
  readonly run: ChainRun;
  readonly node: EthereumNode;
  readonly evidence: Evidence;
  readonly ports: LeasePorts;
  readonly shell: Shell;
}

async function importFile(entry: Entry, folder: string, world: World): Promise<Document<ChainRecord>> {
  const { run, node, evidence, ports, shell } = world;
  const { vault, clock } = ports;
  const { file: name, start_block: start, end_block: end } = entry;
  const key = recordKey(node.name, name);
  const known = await readDocument(vault, key, ChainRecord);
  if (known !== undefined && known.value.end.hash === end.hash && known.value.start.number === start.block)
    return known;
  const opened = await openDecompressed(join(folder, name));
  const expected = { start: start.block, end: end.block, parentHash: start.parent_hash, endHash: end.hash };
  const { compression } = opened;
  const found = await storeOrAdopt(cutBlocks(opened.bytes(() => {})), { name, compression }, expected, world);
  const record = ChainRecord.parse({
    format: 'ledgerhold/chain-record/1',
    ...{ network: run.network, node: node.name, slot: run.slot, client: node.client, evidence },
    file: { name, ...found.lying, compression, blockBytes: found.range.blockBytes },
    ...{ start: found.range.start, end: found.range.end },
    ...{ transactions: found.range.transactions, rules: found.range.rules },
    exportedAt: Instant.parse(clock.now().toISOString()),
  });
  await putDocument(vault, key, record);
  const written = await readDocument(vault, key, ChainRecord);
  if (written === undefined) throw new Error(`${key} was written, and is not to be found`);
  shell.note(`${name}: ${end.block - start.block + 1} blocks verified and taken over`);
  return written;
}

/** What lies under the name already, of an import that was broken off, is read and verified whole. */
async function storeOrAdopt(
  blocks: AsyncIterable<Uint8Array>,
  file: Pick<ChainRecord['file'], 'name' | 'compression'>,
  expected: ExpectedRange,
  { node, ports: { vault }, shell: { signal } }: World,
): Promise<{ readonly lying: Lying; readonly range: ProvenRange }> {
  const keccak = await keccak256();
  const { bytes, proven } = provenBlocks(blocks, expected, keccak);
  const how = { content: 'rlp', compress: file.compression, encryption: noEncryption, context: {}, signal };
  try {
    const { size, sha256 } = await storeArtifact(vault, chainFileKey(node.name, file.name), bytes, how);
    return { lying: { size, sha256 }, range: proven() };
  } catch (error) {
    if (!(error instanceof KeyTaken)) throw error;
    const { blocks: stored, lying } = openChainFile(vault, node.name, file);
    const range = await provenFile(stored, expected, keccak);
    return { lying: lying(), range };
  }
}
