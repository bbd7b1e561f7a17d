import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { guardedHttp } from '../io/http.ts';
import { outboundTo } from '../io/http-guard.ts';
import { noEncryption } from '../io/no-encryption.ts';
import { folderVault } from '../local/folder-vault.ts';
import { type ChainNode, openChainNode } from '../protocols/ethereum/chain-node.ts';
import { provenBlocks } from '../protocols/ethereum/export-range.ts';
import { keccak256 } from '../protocols/ethereum/keccak.ts';
import { type ToyChain, toyChain } from '../test/support/chain-writer.ts';
import { storeArtifact } from '../vault/artifact.ts';
import type { BenchResult } from './result.ts';

/** Bytes of a block, about, and how many of them. */
const SIZES = [
  { name: '600-byte blocks', payload: 0, count: 30_000 },
  { name: '12 KB blocks', payload: 11_400, count: 6_000 },
] as const;
const ROUNDS = 3;
const AT_LEAST = 0.6;

interface Rates {
  readonly fetched: number;
  readonly verified: number;
  readonly exported: number;
}

/** Blocks read, verified, compressed, hashed and stored, against reading alone and verifying alone from the same server. */
export async function run(): Promise<BenchResult> {
  const folder = mkdtempSync(join(tmpdir(), 'ledgerhold-export-chain-'));
  try {
    const results: (Rates & { readonly ratio: number })[] = [];
    for (const { name, payload, count } of SIZES) {
      const best = await measured(await chainOf(payload, count), folder);
      const ratio = best.exported / Math.min(best.fetched, best.verified);
      const rate = (value: number) => `${Math.round(value).toLocaleString('en')}/s`;
      console.log(
        `${name.padEnd(18)} exported ${rate(best.exported)}, fetched alone ${rate(best.fetched)}, verified alone ${rate(best.verified)}: ${ratio.toFixed(2)}`,
      );
      results.push({ ...best, ratio });
    }
    console.log(
      `memory at its most        ${Math.round(process.resourceUsage().maxRSS / 1024)} MB, the blocks themselves included`,
    );
    const [small] = results;
    if (small === undefined) throw new Error('nothing was measured');
    const slower = Math.min(small.fetched, small.verified);
    return {
      ...{ name: 'export-chain', unit: 'blocks/s', ours: small.exported },
      peer: { name: 'the slower of fetching alone and verifying alone', value: slower },
      ratio: Math.min(...results.map(({ ratio }) => ratio)),
      limit: { name: `${AT_LEAST} × the slower`, value: AT_LEAST * slower },
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const chainOf = (payload: number, count: number): Promise<ToyChain> =>
  toyChain(
    Array.from({ length: count }, () => (payload === 0 ? {} : { transactions: [new Uint8Array(payload).fill(2)] })),
  );

async function measured(chain: ToyChain, folder: string): Promise<Rates> {
  const worker = new Worker(new URL('raw-block-server.ts', import.meta.url), { workerData: chain });
  try {
    const [port] = (await once(worker, 'message')) as [number];
    const url = `http://127.0.0.1:${port}/`;
    const http = guardedHttp(outboundTo([url]), { keepAlive: true, maxBytes: 32 * 1024 * 1024 });
    const patience = { pause: async () => {}, random: Math.random };
    const node = openChainNode({ name: 'server', url, client: 'geth', http, ...patience });
    const rounds: Rates[] = [];
    for (let n = 0; n < ROUNDS; n++) {
      rounds.push({
        fetched: await rateOf(chain, () => drain(node.blocks(0, chain.blocks.length - 1))),
        verified: await rateOf(chain, async () => drain(proven(chain, inMemory(chain)).bytes)),
        exported: await rateOf(chain, () => exported(chain, node, folder)),
      });
    }
    const best = (of: keyof Rates) => Math.max(...rounds.map((round) => round[of]));
    return { fetched: best('fetched'), verified: best('verified'), exported: best('exported') };
  } finally {
    await worker.terminate();
  }
}

const keccak = await keccak256();

const proven = ({ blocks, hashes }: ToyChain, source: AsyncIterable<Uint8Array>) => {
  const end = blocks.length - 1;
  return provenBlocks(source, { start: 0, end, parentHash: undefined, endHash: hashes[end] ?? '' }, keccak);
};

async function* inMemory({ blocks }: ToyChain): AsyncGenerator<Uint8Array> {
  yield* blocks;
}

let files = 0;
async function exported(chain: ToyChain, node: ChainNode, folder: string): Promise<void> {
  const { bytes } = proven(chain, node.blocks(0, chain.blocks.length - 1));
  files += 1;
  const options = { content: 'rlp', compress: 'zstd', encryption: noEncryption, context: {} } as const;
  await storeArtifact(folderVault(folder), `chain/bench/${files}.rlp.zst`, bytes, options);
}

async function drain(source: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of source);
}

async function rateOf({ blocks }: ToyChain, work: () => Promise<void>): Promise<number> {
  const started = performance.now();
  await work();
  return (blocks.length * 1000) / (performance.now() - started);
}
