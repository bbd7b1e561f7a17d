import { beforeAll, describe, expect, test } from '@jest/globals';
import { guardedHttp } from '../../io/http.ts';
import { outboundTo } from '../../io/http-guard.ts';
import { type ToyChain, toyChain, toyTransactions } from '../support/chain-writer.ts';
import { failureOf } from '../support/said.ts';
import type { Dialect } from './ethereum-dialects.ts';
import { type EthereumNode, ethereumNode } from './ethereum-node.ts';

let chain: ToyChain;
beforeAll(async () => {
  chain = await toyChain([{}, { transactions: toyTransactions(1) }, {}]);
});

async function post(node: EthereumNode, body: unknown): Promise<{ status: number; body: unknown }> {
  const http = guardedHttp(outboundTo([node.url]), { totalMs: 1_000 });
  const { status, body: bytes } = await http(node.url, { method: 'POST', body: JSON.stringify(body) });
  return { status, body: status === 200 ? (JSON.parse(bytes.toString()) as unknown) : bytes.toString() };
}
const call = (method: string, ...params: unknown[]) => ({ jsonrpc: '2.0', id: 7, method, params });
const raw = (number: number) => Buffer.from(chain.blocks[number] ?? []).toString('hex');

async function ask(dialect: Dialect, method: string, ...params: unknown[]) {
  await using node = await ethereumNode({ blocks: chain.blocks, dialect });
  return (await post(node, call(method, ...params))).body;
}

describe('the fake of an Ethereum node', () => {
  test('gives raw blocks as its client does', async () => {
    expect(await ask('geth', 'debug_getRawBlock', '0x1')).toMatchObject({ id: 7, result: `0x${raw(1)}` });
    expect(await ask('quorum', 'debug_getBlockRlp', 1)).toMatchObject({ result: raw(1) });
    expect(await ask('quorum', 'debug_getBlockRlp', '0x1')).toMatchObject({ error: { code: -32602 } });
    expect(await ask('geth', 'debug_getBlockRlp', 1)).toMatchObject({ error: { code: -32601 } });
    expect(await ask('json-only', 'debug_getRawBlock', '0x1')).toMatchObject({ error: { code: -32601 } });
  });

  test('says of a block that it has not what its client says', async () => {
    expect(await ask('geth', 'debug_getRawBlock', '0x3')).toMatchObject({ result: '0x' });
    expect(await ask('besu', 'debug_getRawBlock', '0x3')).toMatchObject({ result: null });
    expect(await ask('quorum', 'debug_getBlockRlp', 3)).toMatchObject({ error: { message: 'block #3 not found' } });
  });

  test('shows a block and its hash, and no block above its head', async () => {
    await using node = await ethereumNode({ blocks: chain.blocks });
    const shown = await post(node, call('eth_getBlockByNumber', '0x1', true));
    expect(shown.body).toMatchObject({ result: { number: '0x1', hash: chain.hashes[1], parentHash: chain.hashes[0] } });
    node.setHead(0);
    expect((await post(node, call('eth_getBlockByNumber', '0x1', true))).body).toMatchObject({ result: null });
    expect((await post(node, call('eth_blockNumber'))).body).toMatchObject({ result: '0x0' });
  });

  test('has its faults in the order planned, and is well again', async () => {
    await using node = await ethereumNode({ blocks: chain.blocks, silenceMs: 5_000 });
    const batch = [1, 2].map((id) => ({ ...call('eth_blockNumber'), id }));
    node.plan({ status: 413, text: 'too large' }, { answers: 'half' }, { error: { code: -32600, message: 'no' } });
    node.plan('drop', 'silence', 'stall', 'gzip bomb');
    expect(await post(node, batch)).toEqual({ status: 413, body: 'too large' });
    expect((await post(node, batch)).body).toMatchObject([{ id: 1 }]);
    expect((await post(node, batch)).body).toMatchObject([{ id: null, error: { code: -32600 } }]);
    const names = ['HostUnreachable', 'RequestTimedOut', 'RequestTimedOut', 'EncodedBody'];
    for (const name of names) expect(await failureOf(post(node, batch))).toMatchObject({ name });
    expect((await post(node, batch)).body).toMatchObject([{ id: 1 }, { id: 2 }]);
    expect(node.requests).toHaveLength(8);
  });

  test('says response too large for what does not fit, among what does', async () => {
    await using node = await ethereumNode({ blocks: chain.blocks, limits: { answerBytes: 2 * raw(0).length } });
    const batch = [0, 1, 2].map((id) => ({ ...call('debug_getRawBlock', `0x${id}`), id }));
    const { body } = await post(node, batch);
    expect(body).toMatchObject([{ result: `0x${raw(0)}` }, { error: { code: -32003 } }, { error: { code: -32003 } }]);
  });
});
