import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { parentPort, workerData } from 'node:worker_threads';

/** A thread that answers `debug_getRawBlock`, batched, from memory: as fast as a node could ever be. */
const { blocks, hashes } = workerData as { readonly blocks: readonly Uint8Array[]; readonly hashes: readonly string[] };
const results = blocks.map((block) => `"0x${Buffer.from(block).toString('hex')}"`);

interface Call {
  readonly id: number;
  readonly method: string;
  readonly params: readonly [string, ...unknown[]];
}

function answer({ id, method, params: [number] }: Call): string {
  const at = Number(number);
  if (method === 'debug_getRawBlock') return `{"jsonrpc":"2.0","id":${id},"result":${results[at] ?? 'null'}}`;
  if (method === 'eth_blockNumber')
    return `{"jsonrpc":"2.0","id":${id},"result":"0x${(blocks.length - 1).toString(16)}"}`;
  const block = hashes[at] === undefined ? 'null' : `{"number":"${number}","hash":"${hashes[at]}"}`;
  return `{"jsonrpc":"2.0","id":${id},"result":${block}}`;
}

const server = createServer((request, response) => {
  const pieces: Buffer[] = [];
  request.on('data', (piece: Buffer) => pieces.push(piece));
  request.on('end', () => {
    const asked = JSON.parse(Buffer.concat(pieces).toString()) as Call | Call[];
    const text = Array.isArray(asked) ? `[${asked.map(answer).join(',')}]` : answer(asked);
    response.writeHead(200, { 'content-type': 'application/json' }).end(text);
  });
});
server.listen(0, '127.0.0.1', () => parentPort?.postMessage((server.address() as AddressInfo).port));
