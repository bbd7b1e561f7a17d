import { describe, expect, test } from '@jest/globals';
import { guardedHttp } from '../../io/http.ts';
import { outboundTo } from '../../io/http-guard.ts';
import { jsonRpc, type RpcBatch } from '../../io/json-rpc.ts';
import { bodyOf, serve } from '../support/loopback.ts';
import { failureOf, said } from '../support/said.ts';

interface Request {
  readonly id: number;
  readonly method: string;
}
/** Answers what `reply` makes of the parsed body; text is sent as it is. */
async function asked(
  count: number,
  reply: (body: Request | Request[]) => unknown,
  { status = 200, maxBytes = 100_000 } = {},
): Promise<RpcBatch> {
  await using server = await serve(async (request, response) => {
    const answer = reply(JSON.parse(await bodyOf(request)) as Request | Request[]);
    response.writeHead(status).end(typeof answer === 'string' ? answer : JSON.stringify(answer));
  });
  const http = guardedHttp(outboundTo([server.origin]), { maxBytes });
  const rpc = jsonRpc({ name: 'validator-1', url: `${server.origin}/key/secret-path`, http });
  return await rpc(Array.from({ length: count }, (_, n) => ({ method: `m${n}`, params: [] })));
}

const echo = ({ id, method }: Request) => ({ jsonrpc: '2.0', id, result: method });
const list = (body: Request | Request[]): Request[] => [body].flat();
const outcomesOf = (batch: RpcBatch) => (batch.kind === 'answers' ? batch.outcomes : batch.why);

describe('calls over JSON-RPC', () => {
  test('are one request; one alone is sent bare', async () => {
    expect(outcomesOf(await asked(2, (body) => (Array.isArray(body) ? body.map(echo) : 'bare')))).toEqual([
      { result: 'm0' },
      { result: 'm1' },
    ]);
    expect(outcomesOf(await asked(1, (body) => (Array.isArray(body) ? 'array' : echo(body))))).toEqual([
      { result: 'm0' },
    ]);
  });

  test('are told apart by id, whatever comes in which order; one that is left out is left open', async () => {
    const batch = await asked(3, (body) => [...list(body).slice(1).map(echo).reverse(), { id: 99_999, result: 'old' }]);
    expect(outcomesOf(batch)).toEqual([undefined, { result: 'm1' }, { result: 'm2' }]);
  });

  test('have errors of their own among results, without what could not be printed', async () => {
    const error = { code: -32003, message: `too\nlarge\u001b[31m ${'x'.repeat(500)}` };
    const batch = await asked(2, (body) => list(body).map((one, at) => (at === 0 ? echo(one) : { id: one.id, error })));
    const [, second] = batch.kind === 'answers' ? batch.outcomes : [];
    expect(second).toMatchObject({
      error: { code: -32003, message: expect.stringMatching(/^too large \[31m x{185}$/) },
    });
  });

  test.each<[string, (body: Request | Request[]) => unknown, number]>([
    ['413', () => 'too large', 413],
    ['400', () => 'no batches', 400],
    ['one error object in an array', () => [{ id: null, error: { code: -32600, message: 'batch too large' } }], 200],
    ['one bare error object', () => ({ id: null, error: { code: -32005, message: 'too many' } }), 200],
    ['more bytes than are read', () => 'x'.repeat(200_000), 200],
  ])('are too much at once for who answers %s', async (_, reply, status) => {
    expect(await asked(2, reply, { status })).toMatchObject({ kind: 'too much', why: expect.any(String) });
  });

  test('that are one are never too much: its error is its own', async () => {
    const batch = await asked(1, () => ({ id: null, error: { code: -32600, message: 'no' } }));
    expect(outcomesOf(batch)).toEqual([{ error: { code: -32600, message: 'no' } }]);
    await expect(asked(1, () => 'x'.repeat(200_000))).rejects.toMatchObject({ name: 'BodyTooLarge' });
  });

  test.each<[string, string, (body: Request | Request[]) => unknown, number]>([
    ['NotJsonRpc', 'HTML', () => '<html>', 200],
    ['NotJsonRpc', 'a number', () => '5', 200],
    ['NotJsonRpc', 'neither result nor error', (body) => list(body).map(({ id }) => ({ id })), 200],
    ['NotJsonRpc', 'one call twice', (body) => [...list(body), ...list(body)].map(echo), 200],
    ['RpcRefused', '401', () => 'no', 401],
    ['RpcRefused', '404', () => 'no', 404],
    ['RpcUnavailable', '429', () => 'slowly', 429],
    ['RpcUnavailable', '503', () => 'no', 503],
  ])('reject with %s for an answer of %s, and never show the URL', async (name, _, reply, status) => {
    const error = await failureOf(asked(2, reply, { status }));
    expect(error).toMatchObject({ name, message: expect.stringContaining('validator-1') });
    expect(said(error)).not.toContain('secret-path');
  });

  test('have other ids each time, so that an old answer answers nothing', async () => {
    const seen: number[] = [];
    await using server = await serve(async (request, response) => {
      const body = JSON.parse(await bodyOf(request)) as Request;
      response.end(JSON.stringify({ ...echo(body), id: seen[0] ?? body.id }));
      seen.push(body.id);
    });
    const rpc = jsonRpc({ name: 'n', url: server.origin, http: guardedHttp(outboundTo([server.origin])) });
    const call = [{ method: 'm', params: [] }];
    expect(outcomesOf(await rpc(call))).toEqual([{ result: 'm' }]);
    expect(outcomesOf(await rpc(call))).toEqual([undefined]);
  });
});
