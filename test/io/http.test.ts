import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import { guardedHttp, type HttpSettings } from '../../io/http.ts';
import { outboundTo } from '../../io/http-guard.ts';
import { bodyOf, serve, serveTcp, serveTls } from '../support/loopback.ts';
import { failureOf, said } from '../support/said.ts';

const SENTINEL = 'sentinel-0123456789';
const secret = { authorization: `Bearer ${SENTINEL}` };

const callTo = (url: string, settings?: HttpSettings) =>
  guardedHttp(outboundTo([url]), settings)(url, { headers: secret });

/** The named error that a call ends in; it must not show the token, nor the query. */
async function failure(url: string, settings?: HttpSettings) {
  const error = await failureOf(callTo(url, settings));
  expect(said(error)).not.toContain(SENTINEL);
  return { name: error.name, message: error.message };
}

describe('a guarded call', () => {
  test('sends method, headers and body, and gives status, headers and body of any answer', async () => {
    await using server = await serve(async (request, response) => {
      response
        .writeHead(418, { 'x-kind': 'teapot' })
        .end(`${request.method} ${request.headers.authorization} ${await bodyOf(request)}`);
    });
    const http = guardedHttp(outboundTo([server.origin]));
    const answer = await http(`${server.origin}/a`, { method: 'POST', headers: secret, body: 'a=b' });
    expect(answer.status).toBe(418);
    expect(answer.headers.get('x-kind')).toBe('teapot');
    expect(answer.body.toString()).toBe(`POST Bearer ${SENTINEL} a=b`);
  });

  test('reaches a name below localhost on this machine, with its own Host header', async () => {
    await using server = await serve((request, response) => response.end(request.headers.host));
    const answer = await callTo(`http://wallet.localhost:${server.port}/`);
    expect(answer.body.toString()).toBe(`wallet.localhost:${server.port}`);
  });

  test('connects to the address it has checked, whatever the name says afterwards', async () => {
    await using server = await serve((_, response) => response.end('pinned'));
    const url = `http://rebound.example:${server.port}/`;
    const addresses = ['127.0.0.1', '169.254.169.254'];
    const resolve = async () => [{ address: addresses.shift() ?? '', family: 4 }];
    expect((await callTo(url, { resolve })).body.toString()).toBe('pinned');
    expect(addresses).toHaveLength(1);
    expect(await failure(url, { resolve })).toMatchObject({ name: 'AddressRefused' });
  });

  test('never goes to a private address for a host that is only listed', async () => {
    const resolve = async () => [{ address: '127.0.0.1', family: 4 }];
    const http = guardedHttp({ origins: [], hosts: ['listed.example'] }, { resolve });
    await expect(http('https://listed.example/')).rejects.toMatchObject({ name: 'AddressRefused' });
  });

  test.each([301, 302, 303, 304, 307, 308])('does not follow a %i', async (status) => {
    let calls = 0;
    await using server = await serve((_, response) => {
      calls += 1;
      response.writeHead(status, { location: `/login?code=${SENTINEL}` }).end();
    });
    expect(await failure(server.origin)).toMatchObject({ name: 'RedirectRefused' });
    expect(calls).toBe(1);
  });

  test.each([
    ['announced', true],
    ['not announced', false],
  ])('stops reading a body that is too large, its length %s', async (_, announced) => {
    let sent = 0;
    await using server = await serve((request, response) => {
      if (announced) response.setHeader('content-length', 40 << 20);
      const timer = setInterval(() => {
        // What the client has not taken yet would only pile up here, and count as if it had been sent.
        if (response.writableNeedDrain) return;
        sent += 1 << 20;
        response.write(Buffer.alloc(1 << 20));
      }, 1);
      request.socket.once('close', () => clearInterval(timer));
    });
    expect(await failure(server.origin, { maxBytes: 2 << 20 })).toMatchObject({ name: 'BodyTooLarge' });
    expect(sent).toBeLessThan(20 << 20);
  });

  test('reads a body of exactly the limit', async () => {
    await using server = await serve((_, response) => response.end(Buffer.alloc(1000)));
    expect((await callTo(server.origin, { maxBytes: 1000 })).body).toHaveLength(1000);
    expect(await failure(server.origin, { maxBytes: 999 })).toMatchObject({ name: 'BodyTooLarge' });
  });

  test('unpacks nothing', async () => {
    await using server = await serve((request, response) => {
      expect(request.headers['accept-encoding']).toBe('identity');
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(Buffer.alloc(1 << 20)));
    });
    expect(await failure(server.origin)).toMatchObject({ name: 'EncodedBody' });
  });
});

describe('a host that does not answer as it should', () => {
  test('is unreachable if nothing listens', async () => {
    const port = await serve(() => undefined).then(async (server) => {
      await server[Symbol.asyncDispose]();
      return server.port;
    });
    const error = await failure(`http://127.0.0.1:${port}/a?token=${SENTINEL}`);
    expect(error).toEqual({
      name: 'HostUnreachable',
      message: `http://127.0.0.1:${port}/a cannot be reached: ECONNREFUSED`,
    });
  });

  test('is called by the name that it is given, where its path is a secret', async () => {
    await using server = await serve((_, response) => response.destroy());
    const url = `${server.origin}/v2/${SENTINEL}`;
    const error = await failureOf(guardedHttp(outboundTo([url]))(url, { name: 'validator-1' }));
    expect(error).toMatchObject({ name: 'HostUnreachable', message: 'validator-1 cannot be reached: ECONNRESET' });
    expect(said(error)).not.toContain(SENTINEL);
  });

  test('is unreachable if its name is not known', async () => {
    const resolve = () => Promise.reject(Object.assign(new Error('getaddrinfo'), { code: 'ENOTFOUND' }));
    expect(await failure('https://unknown.example/', { resolve })).toMatchObject({ name: 'HostUnreachable' });
  });

  test.each([
    ['hangs up', (_: unknown, response: { destroy(): void }) => response.destroy()],
    [
      'hangs up in the body',
      (_: unknown, response: { write(text: string): void; destroy(): void }) => {
        response.write('half');
        setTimeout(() => response.destroy(), 20);
      },
    ],
  ])('is unreachable if it %s', async (_, handler) => {
    await using server = await serve(handler);
    expect(await failure(server.origin)).toMatchObject({ name: 'HostUnreachable' });
  });

  test('is unreachable if it does not speak HTTP, and what it said is not told', async () => {
    await using server = await serveTcp((socket) => socket.end(`SSH-2.0-${SENTINEL}\r\n`));
    expect(await failure(`http://127.0.0.1:${server.port}/`)).toMatchObject({ name: 'HostUnreachable' });
  });

  test.each([
    ['before the headers', () => undefined],
    ['in the body', (_: unknown, response: { write(text: string): void }) => response.write(SENTINEL)],
  ])('runs into the deadline if it stalls %s', async (_, handler) => {
    await using server = await serve(handler);
    const error = await failure(`${server.origin}/slow`, { totalMs: 150 });
    expect(error).toEqual({ name: 'RequestTimedOut', message: `${server.origin}/slow did not answer within 0.15 s` });
  });

  test('runs into the time to connect if it never finishes the handshake', async () => {
    await using server = await serveTcp(() => undefined);
    expect(await failure(`https://127.0.0.1:${server.port}/`, { connectMs: 150 })).toMatchObject({
      name: 'RequestTimedOut',
      message: expect.stringContaining('did not connect within 0.15 s'),
    });
  });

  test('is left at once when the caller gives up, with the reason of the caller', async () => {
    await using server = await serve(() => undefined);
    const abort = new AbortController();
    const call = guardedHttp(outboundTo([server.origin]))(server.origin, { signal: abort.signal });
    const reason = new Error('stopped');
    setTimeout(() => abort.abort(reason), 30);
    await expect(call).rejects.toBe(reason);
    await expect(guardedHttp(outboundTo([server.origin]))(server.origin, { signal: abort.signal })).rejects.toBe(
      reason,
    );
  });
});

const hasOpenssl = spawnSync('openssl', ['version']).status === 0;
const withOpenssl = hasOpenssl ? describe : describe.skip;

withOpenssl(`TLS${hasOpenssl ? '' : ' (skipped: no openssl)'}`, () => {
  function certificate() {
    const folder = mkdtempSync(join(tmpdir(), 'tls-'));
    const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
    const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
    const ec = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
    spawnSync('openssl', ['req', '-x509', ...ec, ...subject, '-keyout', key, '-out', cert, '-days', '2']);
    const pems = { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') };
    rmSync(folder, { recursive: true });
    return pems;
  }

  test('a certificate that nobody vouches for, or of another name, is refused; a known one is not', async () => {
    const pems = certificate();
    await using server = await serveTls(pems, (_, response) => response.end('safe'));
    const named = `https://localhost:${server.port}/`;
    expect(await failure(named)).toMatchObject({ name: 'TlsFailed' });
    expect(await failure(`https://other.localhost:${server.port}/`, { ca: pems.cert })).toMatchObject({
      name: 'TlsFailed',
    });
    expect((await callTo(named, { ca: pems.cert })).body.toString()).toBe('safe');
  });
});
