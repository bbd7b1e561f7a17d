import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ChainRecord } from '../core/chain.ts';
import { LedgerholdError } from '../core/errors.ts';
import { type Finding, violation } from '../core/proof.ts';
import type { Vault } from '../core/vault.ts';
import { type ExpectedRange, provenFile, provenRange } from '../protocols/ethereum/export-range.ts';
import { keccak256 } from '../protocols/ethereum/keccak.ts';
import { openChainFile } from '../vault/chain-file.ts';
import { chainFileKey } from '../vault/layout.ts';
import { verifyFilesInThreads } from './chain-threads.ts';
import type { Shell } from './shell.ts';

/** Verifies every block of a history's files again: those of a folder in several threads, others as they are read. */
export const deepChain =
  (shell: Shell, vault: Vault) =>
  async (records: readonly ChainRecord[]): Promise<Finding[]> => {
    if (records.length === 0) return [];
    return vault.url.startsWith('file:') ? inThreads(shell, vault, records) : oneByOne(shell, vault, records);
  };

const keyOf = ({ node, file }: ChainRecord): string => chainFileKey(node, file.name);

const expectedOf = ({ start, end }: ChainRecord): ExpectedRange => ({
  ...{ start: start.number, end: end.number, parentHash: start.parentHash, endHash: end.hash },
});

async function inThreads(shell: Shell, vault: Vault, records: readonly ChainRecord[]): Promise<Finding[]> {
  const folder = fileURLToPath(vault.url);
  const files = records.map((record) => join(folder, ...keyOf(record).split('/')));
  const reports = await verifyFilesInThreads(shell, files, 'auto');
  return records.flatMap((record, n) => {
    const report = reports[n];
    if (report === undefined) return [];
    return asFinding(record, () => provenRange(report, expectedOf(record), report.bytes));
  });
}

async function oneByOne(shell: Shell, vault: Vault, records: readonly ChainRecord[]): Promise<Finding[]> {
  const keccak = await keccak256();
  const findings: Finding[] = [];
  for (const record of records) {
    shell.signal.throwIfAborted();
    const { blocks } = openChainFile(vault, record.node, record.file);
    const proven = await provenFile(blocks, expectedOf(record), keccak).then(
      (value) => () => value,
      (error: unknown) => () => {
        throw error;
      },
    );
    findings.push(...asFinding(record, proven));
    shell.note(`${record.file.name}: blocks verified`);
  }
  return findings;
}

/** What is wrong with a file's blocks is a finding about it; anything else is none. */
function asFinding(record: ChainRecord, prove: () => unknown): Finding[] {
  try {
    prove();
    return [];
  } catch (error) {
    if (!(error instanceof LedgerholdError)) throw error;
    const key = keyOf(record);
    if (error.kind === 'violation') return [violation('BLOCKS_WRONG', key, `${key}: ${error.message}`)];
    if (error.kind === 'unknown') {
      return [{ level: 'unknown', code: 'BLOCKS_UNKNOWN', about: key, text: `${key}: ${error.message}` }];
    }
    throw error;
  }
}
