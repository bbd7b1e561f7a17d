import { type FileHandle, mkdir, open, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type BlockRef, type ChainRecord, endOf } from '../core/chain.ts';
import type { Vault } from '../core/vault.ts';
import { provenFile } from '../protocols/ethereum/export-range.ts';
import { keccak256 } from '../protocols/ethereum/keccak.ts';
import { lastBlock } from '../protocols/ethereum/last-block.ts';
import { importBatches } from '../protocols/ethereum/restore.ts';
import { restoreGenesis } from '../protocols/ethereum/restore-genesis.ts';
import { ArtifactDamaged } from '../vault/artifact.ts';
import { openChainFile } from '../vault/chain-file.ts';
import { chainFileKey } from '../vault/layout.ts';
import { type ChainClient, checkHead, importFile, initChain, type RestoredHead } from './chain-client.ts';
import { ClientFailed } from './chain-restore-errors.ts';

/** Which blocks become a client's chain. */
export interface ChainRestore extends ChainClient {
  readonly vault: Vault;
  /** Canonical, in order, from genesis on. */
  readonly records: readonly ChainRecord[];
  /** Bytes of blocks that lie there at once, unless one file has more. */
  readonly batchBytes?: number;
}

/** Does one step by its name; `text` of what comes back is for people. Undefined: it, or one before it, did not pass. */
export type RestoreAttempt = <T>(
  name: string,
  work: () => Promise<{ readonly value: T; readonly text: string }>,
) => Promise<T | undefined>;

/** Each import costs a start of the client and a compaction of its database; each byte here costs a byte of disk. */
const BATCH_BYTES = 1024 ** 3;

/**
 * Makes the chain anew: an empty one, then the files in order, each proven whole before the client sees any of it, and in
 * the end the client's own word on its head. Rejects with a class of `chain-restore-errors.ts`, `ArtifactDamaged`, or
 * what is wrong with a block.
 */
export async function restoreChain(job: ChainRestore, attempt: RestoreAttempt): Promise<RestoredHead | undefined> {
  await mkdir(job.work, { recursive: true });
  const empty = await attempt('make an empty chain', async () => {
    const places = { ...job.places, genesis: await genesisFor(job) };
    await initChain({ ...job, places });
    return { value: { ...job, places }, text: job.places.binary };
  });
  let stateRoot: string | undefined;
  for (const { files, blockBytes } of importBatches(job.records, job.batchBytes ?? BATCH_BYTES)) {
    const blocks = `blocks ${files[0].start.number} to ${lastBlockOf(files).number}`;
    stateRoot = await attempt(`import ${blocks}`, async () => {
      // Not reached without the chain: a step after one that failed is not begun.
      const value = await importBatch(files, blocks, empty ?? job);
      return { value, text: `${files.length} files, ${blockBytes} bytes of blocks` };
    });
  }
  return attempt('check the head', async () => {
    const value = await checkHead(empty ?? job, { ...lastBlockOf(job.records), stateRoot: stateRoot ?? '' });
    return { value, text: `block ${value.number}, ${value.hash}, state root ${value.stateRoot}, by ${value.client}` };
  });
}

function lastBlockOf(records: readonly ChainRecord[]): BlockRef {
  const end = endOf(records.at(-1));
  if (end === null) throw new TypeError('a chain without records has nothing to restore');
  return end;
}

/** The one to import with, written to the folder that is ours if it is not the one that was named. */
async function genesisFor({ client, places, work }: ChainRestore): Promise<string> {
  if (client !== 'quorum') return places.genesis;
  const { genesis, changed } = restoreGenesis(await readGenesis(places.genesis));
  if (!changed) return places.genesis;
  const file = join(work, 'genesis.json');
  await writeFile(file, JSON.stringify(genesis, undefined, 2));
  return file;
}

/** Rejects with `ClientFailed` if it is no JSON, or cannot be read. */
export async function readGenesis(file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, 'utf8'));
  } catch (cause) {
    throw new ClientFailed(`the genesis ${file} cannot be read as JSON`, cause instanceof Error ? cause.message : '');
  }
}

/** Resolves to the state root of the last block. */
async function importBatch(records: readonly ChainRecord[], blocks: string, job: ChainRestore): Promise<string> {
  const path = join(job.work, 'blocks.rlp');
  const seen = lastBlock();
  try {
    const target = await open(path, 'w', 0o600);
    try {
      for (const record of records) await writeProven(record, job, target, seen.push);
    } finally {
      await target.close();
    }
    await importFile(job, path, blocks);
  } finally {
    await rm(path, { force: true });
  }
  return seen.stateRoot() ?? '';
}

/** Appends a file's blocks, decompressed. Rejects unless they are those of the record, and what lies there is too. */
async function writeProven(
  { node, file, start, end }: ChainRecord,
  { vault, signal }: ChainRestore,
  target: FileHandle,
  look: (bytes: Uint8Array) => void,
): Promise<void> {
  const { blocks, lying } = openChainFile(vault, node, file);
  async function* written(): AsyncGenerator<Uint8Array> {
    for await (const bytes of blocks) {
      signal?.throwIfAborted();
      look(bytes);
      await target.writeFile(bytes);
      yield bytes;
    }
  }
  const expected = { start: start.number, end: end.number, parentHash: start.parentHash, endHash: end.hash };
  await provenFile(written(), expected, await keccak256());
  const { size, sha256 } = lying();
  const key = chainFileKey(node, file.name);
  if (size !== file.size) throw new ArtifactDamaged(key, `it has ${size} bytes, not ${file.size}`);
  if (sha256 !== file.sha256) throw new ArtifactDamaged(key, 'its SHA-256 is another');
}
