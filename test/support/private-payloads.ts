import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { RLP } from '@ethereumjs/rlp';
import type { Client } from 'pg';
import { type ToyBlock, type ToyChain, toyChain } from './chain-writer.ts';
import type { ToyNode } from './toy-network.ts';

/** What Tessera makes of an empty PostgreSQL, as far as a payload's life touches it. */
export const TESSERA_SCHEMA = `
CREATE TABLE encrypted_transaction
  (hash bytea PRIMARY KEY, encoded_payload bytea NOT NULL, payload_codec text NOT NULL, "timestamp" bigint);
CREATE TABLE encrypted_raw_transaction
  (hash bytea PRIMARY KEY, encrypted_key bytea NOT NULL, encrypted_payload bytea NOT NULL, nonce bytea NOT NULL,
   sender bytea NOT NULL, "timestamp" bigint);
`;

/** `count` blocks, each with one private transaction: its data is the hash of a payload and nothing else. */
export async function privateChain(count: number): Promise<{ chain: ToyChain; payloads: Buffer[] }> {
  const payloads = Array.from({ length: count }, () => randomBytes(64));
  const blocks = payloads.map(
    (hash, n): ToyBlock => ({ transactions: [[n, 0, 21_000, Buffer.alloc(20, 7), 0, hash, 37, n, n]] }),
  );
  return { chain: await toyChain(blocks), payloads };
}

/** The hashes of payloads that the blocks of a file name. */
export function payloadsIn(file: Uint8Array): string[] {
  const hashes: string[] = [];
  for (let rest: Uint8Array = file; rest.length > 0; ) {
    const { data, remainder } = RLP.decode(rest, true);
    const [, transactions] = data as unknown as [unknown, Uint8Array[][]];
    hashes.push(...transactions.map((each) => Buffer.from(each[5] ?? []).toString('hex')));
    rest = remainder;
  }
  return hashes;
}

/** Stores a payload, as Tessera does before it gives out its hash. */
export const storePayload = (tessera: Client, hash: Uint8Array) =>
  tessera.query('INSERT INTO encrypted_transaction VALUES ($1, $2, $3, $4)', [
    ...[hash, randomBytes(256), 'LEGACY', Date.now()],
  ]);

export interface PrivateLoad {
  readonly head: number;
  /** Resolves once block `number` is there. */
  until(number: number): Promise<void>;
  stop(): Promise<void>;
}

/** Lets a node grow block by block, each after its payload has been stored: one commit, then one block. */
export function startPrivateLoad(
  tessera: Client,
  { chain, payloads }: Awaited<ReturnType<typeof privateChain>>,
  node: ToyNode,
): PrivateLoad {
  let head = -1;
  let stopped = false;
  const work = async () => {
    for (const [number, hash] of payloads.entries()) {
      if (stopped) return;
      await storePayload(tessera, hash);
      node.chain = { blocks: chain.blocks.slice(0, number + 1), hashes: chain.hashes.slice(0, number + 1) };
      head = number;
      await sleep(2);
    }
  };
  const ended = work();
  ended.catch(() => {});
  return {
    get head() {
      return head;
    },
    async until(number) {
      while (head < number) {
        const over = await Promise.race([ended.then(() => true), sleep(5, false)]);
        if (over && head < number) throw new Error(`the load ended before block ${number}`);
      }
    },
    stop() {
      stopped = true;
      return ended;
    },
  };
}
