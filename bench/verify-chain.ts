import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { createBlockHeaderFromRLP } from '@ethereumjs/block';
import { Common, Hardfork, Mainnet } from '@ethereumjs/common';
import { inThreads } from '../io/worker-pool.ts';
import type { ChainFileReport } from '../protocols/ethereum/report.ts';
import { itemEnd, payloadAt } from '../protocols/ethereum/rlp.ts';
import type { VerifyFileTask } from '../protocols/ethereum/verify-file-worker.ts';
import { toyChain, toyTransactions } from '../test/support/chain-writer.ts';
import type { BenchResult } from './result.ts';

/** Mainnet's first thousand blocks, as Besu's tests have them. */
const SMALL = 'besu-mainnet/blocks-0-999.rlp';
const SMALL_BLOCKS = 1000;
const SMALL_TIMES = 200;
const LARGE = { blocks: 200, transactions: 75, bytes: 130, times: 60 } as const;
const PEER_BLOCKS = 20_000;
const ROUNDS = 3;
const AT_LEAST = 12;

/** Blocks verified whole, all roots included, in one thread, against EthereumJS for the hashes of the headers alone. */
export async function run(): Promise<BenchResult> {
  const fixtures = process.env['LEDGERHOLD_FIXTURES'];
  if (fixtures === undefined) throw new Error('LEDGERHOLD_FIXTURES is not set: it holds the chain that is verified');
  const folder = mkdtempSync(join(tmpdir(), 'ledgerhold-verify-chain-'));
  try {
    const thousand = readFileSync(join(fixtures, SMALL));
    const small = await repeated(folder, 'small', thousand, SMALL_TIMES);
    const large = await repeated(folder, 'large', await largeBlocks(), LARGE.times);
    const [one, two, peer, heavy]: [number[], number[], number[], number[]] = [[], [], [], []];
    for (let round = 0; round < ROUNDS; round++) {
      peer.push(peerRate(thousand));
      one.push((await rates([small[0], small[0]], 1)).blocks);
      two.push((await rates(small, 2)).blocks);
      heavy.push((await rates([large[0], large[0]], 1)).megabytes);
    }
    const best = { one: Math.max(...one), two: Math.max(...two), peer: Math.max(...peer), heavy: Math.max(...heavy) };
    console.log(`two threads                              ${(best.two / best.one).toFixed(2)} × one`);
    console.log(`${LARGE.transactions} transactions a block, one thread        ${best.heavy.toFixed(0)} MB/s`);
    return {
      ...{ name: 'verify-chain', unit: 'blocks/s', ours: best.one },
      peer: { name: '@ethereumjs/block, hashes alone', value: best.peer },
      ratio: best.one / best.peer,
      limit: { name: `${AT_LEAST} × @ethereumjs/block`, value: AT_LEAST * best.peer },
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

type TwoFiles = readonly [string, string];

/** Two equal files of the same blocks again and again. */
async function repeated(folder: string, name: string, bytes: Uint8Array, times: number): Promise<TwoFiles> {
  const files = [0, 1].map((n) => join(folder, `${name}-${n}.rlp`)) as [string, string];
  for (const file of files) {
    writeFileSync(file, bytes);
    for (let n = 1; n < times; n++) writeFileSync(file, bytes, { flag: 'a' });
  }
  return files;
}

async function largeBlocks(): Promise<Uint8Array> {
  const block = { transactions: toyTransactions(LARGE.transactions, LARGE.bytes) };
  return Buffer.concat((await toyChain(Array.from({ length: LARGE.blocks }, () => block))).blocks);
}

/** What verifying the files takes, the start of the threads included. */
async function rates(files: TwoFiles, threads: number): Promise<{ blocks: number; megabytes: number }> {
  const started = performance.now();
  const reports = await inThreads<VerifyFileTask, ChainFileReport>(
    files.map((file) => ({ file, rule: 'auto' })),
    {
      module: pathToFileURL(join(import.meta.dirname, '../protocols/ethereum/verify-file-worker.ts')),
      ...{ threads, signal: new AbortController().signal },
      ...{ onStart: () => {}, onProgress: () => {}, onEnd: () => {} },
      errorOf: (_task, { message }) => new Error(message),
    },
  );
  const seconds = (performance.now() - started) / 1000;
  for (const report of reports) proven(report);
  const sum = (of: (report: ChainFileReport) => number) => reports.reduce((all, report) => all + of(report), 0);
  return { blocks: sum(({ blocks }) => blocks) / seconds, megabytes: sum(({ bytes }) => bytes) / 1e6 / seconds };
}

/** Only where the repetition begins again does a block not follow. */
function proven({ blocks, problems, moreProblems, rules }: ChainFileReport): void {
  const breaks = (blocks === SMALL_TIMES * SMALL_BLOCKS ? SMALL_TIMES : LARGE.times) - 1;
  const linked = problems.every(({ error }) => error === 'ChainBroken');
  if (linked && problems.length + moreProblems === breaks && rules.keccak === blocks) return;
  throw new Error(`not proven: ${JSON.stringify(problems[0])}`);
}

/** Headers per second, each decoded and hashed; finding them is not counted. */
function peerRate(bytes: Uint8Array): number {
  const common = new Common({ chain: Mainnet, hardfork: Hardfork.Chainstart });
  const headers: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at = itemEnd(bytes, at, bytes.length)) {
    const header = payloadAt(bytes, at);
    headers.push(bytes.subarray(header, itemEnd(bytes, header, bytes.length)));
  }
  const started = performance.now();
  for (let n = 0; n < PEER_BLOCKS; n++) {
    const header = headers[n % headers.length] ?? bytes;
    createBlockHeaderFromRLP(header, { common, skipConsensusFormatValidation: true }).hash();
  }
  return PEER_BLOCKS / ((performance.now() - started) / 1000);
}
