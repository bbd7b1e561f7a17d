import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { guardedHttp, type Http } from '../../../io/http.ts';
import { outboundTo } from '../../../io/http-guard.ts';
import { openChainNode } from '../../../protocols/ethereum/chain-node.ts';
import type { Client } from '../../../protocols/ethereum/clients.ts';
import type { BlockFault } from '../../fakes/block-faults.ts';
import type { Dialect } from '../../fakes/ethereum-dialects.ts';
import type { CallFault, EthereumNodeOptions } from '../../fakes/ethereum-node.ts';
import { SECRET_PATH, type Watched, watchedNode } from '../../support/chain-nodes.ts';
import { type ToyChain, toyChain } from '../../support/chain-writer.ts';
import { failureOf, said } from '../../support/said.ts';

const COUNT = 300;
let chain: ToyChain;
beforeAll(async () => {
  chain = await toyChain(Array.from({ length: COUNT }, () => ({})));
});

const LAST = COUNT - 1;
const world = (options: Partial<EthereumNodeOptions> = {}, settings: Parameters<typeof watchedNode>[1] = {}) =>
  watchedNode({ blocks: chain.blocks, ...options }, settings);

async function read({ node }: Watched, first = 0, last = LAST): Promise<number> {
  let next = first;
  for await (const block of node.blocks(first, last)) {
    if (!Buffer.from(block).equals(chain.blocks[next] ?? new Uint8Array())) throw new Error(`block ${next} differs`);
    next += 1;
  }
  return next - first;
}

/** Methods of the batches that blocks came in, and their sizes. */
const batches = ({ fake }: Watched) =>
  fake.requests
    .map((calls) => ({ method: calls[0]?.method ?? '', size: calls.length }))
    .filter(({ method, size }) => size > 1 && method !== 'web3_clientVersion');

describe('blocks of a node', () => {
  test.each<[Dialect, Client, string]>([
    ['geth', 'geth', 'debug_getRawBlock'],
    ['quorum', 'quorum', 'debug_getBlockRlp'],
    ['besu', 'besu', 'debug_getRawBlock'],
    ['json-only', 'geth', 'eth_getBlockByNumber'],
  ])('of %s come whole and in order', async (dialect, client, method) => {
    await using watched = await world({ dialect }, { client });
    expect(await read(watched)).toBe(COUNT);
    expect(new Set(batches(watched).map((batch) => batch.method))).toEqual(new Set([method]));
    expect(watched.warnings).toEqual([]);
  });

  test.each<[string, Dialect, string, Client]>([
    ['a client that calls itself nothing known', 'quorum', 'something/v1', 'besu'],
    ['an old geth, which has the older method alone', 'quorum', 'Geth/v1.10.26-stable/linux-amd64/go1.18', 'geth'],
  ])('come from %s in the way that it knows', async (_, dialect, version, client) => {
    await using watched = await world({ dialect, version }, { client });
    expect(await read(watched)).toBe(COUNT);
    expect(batches(watched)[0]?.method).toBe('debug_getBlockRlp');
  });

  test('come from another client than the config says too, and somebody is told', async () => {
    await using watched = await world({ dialect: 'quorum' }, { client: 'besu' });
    expect(await read(watched)).toBe(COUNT);
    expect(watched.warnings).toEqual(['node-1 is quorum, and the config says besu']);
  });

  test('come one by one, from the first to the last that was asked for', async () => {
    await using watched = await world();
    expect(await read(watched, 17, 17)).toBe(1);
    expect(await read(watched, 200, LAST)).toBe(100);
    expect(await read(watched, 5, 4)).toBe(0);
  });

  test('are asked for in batches that grow to a hundred and no further', async () => {
    const long = await toyChain(Array.from({ length: 1000 }, () => ({})));
    await using watched = await watchedNode({ blocks: long.blocks });
    let blocks = 0;
    for await (const _ of watched.node.blocks(0, 999)) blocks += 1;
    expect(blocks).toBe(1000);
    const sizes = batches(watched).map(({ size }) => size);
    expect(sizes[0]).toBe(8);
    expect(Math.max(...sizes)).toBe(100);
  });

  test('that are large are asked for in few at once, and hardly more than the budget comes', async () => {
    const large = { more: [new Uint8Array(1 << 20)] };
    const long = await toyChain([...Array.from({ length: 8 }, () => ({})), ...Array.from({ length: 24 }, () => large)]);
    await using watched = await watchedNode({ blocks: long.blocks, limits: { answerBytes: 10 << 20 } });
    let blocks = 0;
    for await (const _ of watched.node.blocks(0, 31)) blocks += 1;
    expect(blocks).toBe(32);
    expect(batches(watched).at(-1)?.size).toBeLessThanOrEqual(4);
  });

  test.each<[string, Partial<EthereumNodeOptions>, CallFault[]]>([
    ['refuses more than 10 calls at once with one error object', { limits: { items: 10 } }, []],
    ['refuses more than one call at once', { limits: { items: 1 } }, []],
    ['refuses large requests with 413', { limits: { requestBytes: 800 } }, []],
    ['says response too large for the tail', { limits: { answerBytes: 8000 } }, []],
    ['answers half a batch', {}, [{ answers: 'half' }, { answers: 'half' }]],
    ['answers backwards', {}, [{ answers: 'reversed' }]],
    ['answers one bare error object', {}, [{ error: { code: -32005, message: 'no' }, bare: true }]],
    ['hangs up', {}, ['drop', 'drop']],
    ['answers 503', {}, [{ status: 503 }, { status: 429 }]],
    ['is silent once', {}, ['silence']],
    ['stalls in the middle of an answer', {}, ['stall']],
  ])('come whole from a node that %s', async (_, options, faults) => {
    await using watched = await world({ ...options, silenceMs: 5_000 }, { totalMs: 400 });
    await read(watched, 0, 0);
    watched.fake.plan(...faults);
    expect(await read(watched)).toBe(COUNT);
  });

  /** A node whose requests are seen as they are made and answered. */
  function seen({ fake }: Watched) {
    const state = { open: 0, most: 0, signals: [] as (AbortSignal | undefined)[] };
    const plain = guardedHttp(outboundTo([fake.url]));
    const http: Http = async (url, call) => {
      state.open += 1;
      state.most = Math.max(state.most, state.open);
      state.signals.push(call?.signal);
      return await plain(url, call).finally(() => {
        state.open -= 1;
      });
    };
    const settings = { name: 'node-2', url: fake.url, client: 'geth' } as const;
    return { state, node: openChainNode({ ...settings, http, pause: async () => {}, random: () => 0 }) };
  }

  test('are never more than two requests at once, however slowly they are read', async () => {
    await using watched = await world();
    const { node, state } = seen(watched);
    let blocks = 0;
    for await (const _ of node.blocks(0, LAST)) if (++blocks % 50 === 0) await sleep(20);
    expect({ blocks, most: state.most }).toEqual({ blocks: COUNT, most: 2 });
  });

  test('that nobody reads on with are not asked for any more, and what is on its way is left', async () => {
    await using watched = await world({ silenceMs: 5_000 });
    const { node, state } = seen(watched);
    watched.fake.onRequest((before) => (before === 3 ? watched.fake.plan('silence') : undefined));
    for await (const _ of node.blocks(0, LAST)) break;
    await sleep(50);
    expect(state).toMatchObject({ open: 0 });
    expect(state.signals.length).toBeLessThan(6);
  });

  test('end with the caller’s own reason when the caller gives up', async () => {
    await using watched = await world({ silenceMs: 5_000 });
    await read(watched, 0, 0);
    watched.fake.plan('silence', 'silence');
    const abort = new AbortController();
    const reason = new Error('stopped');
    setTimeout(() => abort.abort(reason), 30);
    const reading = async () => {
      for await (const _ of watched.node.blocks(0, LAST, abort.signal)) continue;
    };
    await expect(reading()).rejects.toBe(reason);
  });
});

describe('a node that is not as it should be', () => {
  const OTHER = 40;
  test.each<[string, BlockFault, string]>([
    ['HistoryPruned', 'pruned', 'node-1 has pruned block 70: it keeps no history that far back'],
    ['BlockMissing', 'null', 'node-1 does not give block 70, though its newest is 299'],
    ['BlockMissing', '0x', 'though its newest is 299'],
    ['BlockMissing', 'crashed', 'though its newest is 299'],
    ['AnswerUnreadable', 'truncated', 'node-1 answers debug_getRawBlock with bytes for block 70 that are no block'],
    ['AnswerUnreadable', 'odd', 'no whole hexadecimal'],
    ['AnswerUnreadable', 'not hex', 'no whole hexadecimal'],
    ['NotJsonRpc', 'left out', 'node-1 does not speak JSON-RPC'],
    ['NodeRefused', 'too large', 'error -32003: response too large'],
    ['NodeRefused', { error: { code: -32000, message: 'out of luck' } }, 'error -32000: out of luck'],
  ])('ends with %s where it answers %j for one block', async (name, fault, message) => {
    await using watched = await world();
    watched.fake.spoil(70, fault);
    const error = await failureOf(read(watched));
    expect(error).toMatchObject({ name, message: expect.stringContaining(message) });
    expect(said(error)).not.toContain(SECRET_PATH);
  });

  test('ends with OtherBlock where it gives another block than was asked for, and with no byte of it', async () => {
    await using watched = await world();
    watched.fake.spoil(70, { bytes: chain.blocks[OTHER] ?? new Uint8Array() });
    let blocks = 0;
    const reading = async () => {
      for await (const _ of watched.node.blocks(0, LAST)) blocks += 1;
    };
    await expect(reading()).rejects.toMatchObject({
      name: 'OtherBlock',
      message: 'node-1 gives block 40 when asked for block 70',
    });
    expect(blocks).toBeLessThanOrEqual(70);
  });

  test('ends with AnswerUnreadable where more than the block comes', async () => {
    await using watched = await world();
    watched.fake.spoil(3, { bytes: Buffer.concat([chain.blocks[3] ?? Buffer.alloc(0), Buffer.alloc(1)]) });
    expect(await failureOf(read(watched))).toMatchObject({ name: 'AnswerUnreadable' });
  });

  test('ends with NodeWentBackwards where its head falls below what is read', async () => {
    await using watched = await world();
    watched.fake.onRequest((before) => (before >= 4 ? watched.fake.setHead(60) : undefined));
    expect(await failureOf(read(watched))).toMatchObject({
      name: 'NodeWentBackwards',
      message: expect.stringMatching(/^node-1 no longer has block \d+: its newest is 60$/),
    });
  });

  test('ends with BlockNotRebuilt where its JSON is not what its hash is of', async () => {
    await using watched = await world({ dialect: 'json-only' });
    watched.fake.spoil(9, { bytes: chain.blocks[9] ?? new Uint8Array(), hash: `0x${'ab'.repeat(32)}` });
    expect(await failureOf(read(watched))).toMatchObject({ name: 'BlockNotRebuilt' });
  });

  test.each<[string, CallFault]>([
    ['RpcUnavailable', { status: 502 }],
    ['HostUnreachable', 'drop'],
    ['RequestTimedOut', 'silence'],
  ])('ends with %s after three attempts, and pauses between them', async (name, fault) => {
    await using watched = await world({ silenceMs: 5_000 }, { totalMs: 150 });
    watched.fake.plan(fault, fault, fault);
    const error = await failureOf(watched.node.head());
    expect(error).toMatchObject({ name, message: expect.stringContaining('node-1') });
    expect(said(error)).not.toContain(SECRET_PATH);
    expect(watched.pauses).toEqual([1, 4]);
    expect(watched.fake.requests).toHaveLength(3);
  });

  test.each<[string, CallFault]>([
    ['NotJsonRpc', { text: '<html>sign in</html>' }],
    ['NodeRefused', { error: { code: -32000, message: 'no' } }],
    ['RpcRefused', { status: 403 }],
    ['EncodedBody', 'gzip bomb'],
  ])('ends with %s at once, since nothing of that heals', async (name, fault) => {
    await using watched = await world();
    watched.fake.plan(fault);
    expect(await failureOf(watched.node.head())).toMatchObject({ name });
    expect(watched.pauses).toEqual([]);
  });
});

describe('what a node says of its chain', () => {
  test('is its head', async () => {
    await using watched = await world();
    expect(await watched.node.head()).toBe(LAST);
    watched.fake.setHead(0);
    expect(await watched.node.head()).toBe(0);
  });

  test.each<Dialect>(['geth', 'besu'])('is its last final block, and of %s that there is none', async (dialect) => {
    await using watched = await world({ dialect });
    expect(await watched.node.finalized()).toBeUndefined();
    watched.fake.setFinalized(0);
    expect(await watched.node.finalized()).toBe(0);
    watched.fake.setFinalized(64);
    expect(await watched.node.finalized()).toBe(64);
  });

  test('is no final block where it does not know the word', async () => {
    await using watched = await world({ dialect: 'quorum' });
    expect(await watched.node.finalized()).toBeUndefined();
  });

  test('is not that it has no final block when it cannot tell', async () => {
    await using watched = await world();
    watched.fake.plan({ error: { code: -32603, message: 'internal error' } });
    expect(await failureOf(watched.node.finalized())).toMatchObject({ name: 'NodeRefused' });
  });

  test('is the hashes of blocks in the order asked, and none of a block that it has not', async () => {
    await using watched = await world();
    watched.fake.plan({ answers: 'reversed' });
    expect(await watched.node.hashes([LAST, 0, 5, COUNT])).toEqual([
      ...[chain.hashes[LAST], chain.hashes[0], chain.hashes[5], undefined],
    ]);
    expect(watched.fake.requests).toHaveLength(1);
    expect(await watched.node.hashes([])).toEqual([]);
  });

  test('is no hash of another block', async () => {
    await using watched = await world();
    watched.fake.spoil(7, { bytes: chain.blocks[8] ?? new Uint8Array() });
    expect(await failureOf(watched.node.hashes([7]))).toMatchObject({ name: 'OtherBlock' });
  });
});
