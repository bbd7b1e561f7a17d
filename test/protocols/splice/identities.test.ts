import type { RequestListener } from 'node:http';
import { describe, expect, test } from '@jest/globals';
import type { Artifact } from '../../../core/receipts.ts';
import { sha256 } from '../../../io/digest.ts';
import { guardedHttp, type HttpSettings } from '../../../io/http.ts';
import { outboundTo } from '../../../io/http-guard.ts';
import { captureIdentities, fetchIdentities, type StoreSecret } from '../../../protocols/splice/identities.ts';
import { identitiesDump, kmsDump, participantId } from '../../support/identities.ts';
import { type Loopback, serve } from '../../support/loopback.ts';
import { failureOf, said } from '../../support/said.ts';

const SENTINEL = 'sentinelofakey';
const unsafe = { user: 'ledger-api-user', audience: 'https://validator.example.com' };
const clock = () => new Date('2026-11-21T10:00:00.000Z');

const callsTo = ({ origin }: Loopback, settings?: HttpSettings) => ({
  http: guardedHttp(outboundTo([origin]), settings),
  now: clock,
});
const sourceAt = ({ origin }: Loopback) => ({ url: `${origin}/api/validator/`, auth: { unsafe } });

const answering =
  (body: unknown, status = 200): RequestListener =>
  (_, response) => {
    response.writeHead(status).end(typeof body === 'string' ? body : JSON.stringify(body));
  };

async function outcomeOf(handler: RequestListener, settings?: HttpSettings, registered?: string) {
  await using server = await serve(handler);
  const error = await failureOf(fetchIdentities({ ...sourceAt(server), registered }, callsTo(server, settings)));
  expect(said(error)).not.toContain(SENTINEL);
  return error;
}

describe('fetchIdentities', () => {
  test('asks the endpoint with a bearer token and gives the very bytes and what may be told of them', async () => {
    const dump = identitiesDump();
    const text = JSON.stringify(dump, null, 2);
    const asked: unknown[] = [];
    await using server = await serve((request, response) => {
      asked.push(request.method, request.url, request.headers.authorization?.slice(0, 10));
      response.end(text);
    });
    const { body, ...facts } = await fetchIdentities({ ...sourceAt(server), registered: dump.id }, callsTo(server));
    expect(asked).toEqual(['GET', '/api/validator/v0/admin/participant/identities', 'Bearer eyJ']);
    expect(body.toString()).toBe(text);
    expect(facts).toMatchObject({ id: dump.id, class: 'plaintext', keys: 3, kmsKeys: [], version: '0.6.7' });
    for (const { keyPair } of dump.keys as { keyPair: string }[]) expect(JSON.stringify(facts)).not.toContain(keyPair);
  });

  const factsOf = async (dump: object) => {
    await using server = await serve(answering(dump));
    return await fetchIdentities(sourceAt(server), callsTo(server));
  };

  test('tells a dump of KMS keys from one of private keys, and names the KMS keys', async () => {
    const kmsKeys = ['key-of-encryption', 'key-of-namespace', 'key-of-signing'];
    expect(await factsOf(kmsDump())).toMatchObject({ class: 'kms', kmsKeys });
  });

  test('the fingerprint is of id and keys: neither snapshot, version nor order change it, a key does', async () => {
    const dump = identitiesDump();
    const { fingerprint } = await factsOf(dump);
    const again = {
      ...dump,
      keys: dump.keys.toReversed(),
      authorizedStoreSnapshot: 'AAAA'.repeat(600),
      version: '0.7.1',
    };
    expect((await factsOf(again)).fingerprint).toBe(fingerprint);
    expect((await factsOf({ ...dump, keys: identitiesDump().keys })).fingerprint).not.toBe(fingerprint);
    expect((await factsOf({ ...dump, id: participantId('bob') })).fingerprint).not.toBe(fingerprint);
  });

  test('a dump made by hand has no version, and fields that nobody knows yet do no harm', async () => {
    const { version, ...dump } = identitiesDump();
    expect(await factsOf({ ...dump, future: true })).toMatchObject({ version: undefined });
  });

  test.each([
    ['401', answering({ error: SENTINEL }, 401), 'NotAnAdministrator', 'usage'],
    ['403', answering({ error: SENTINEL }, 403), 'NotAnAdministrator', 'usage'],
    ['404', answering({ error: SENTINEL }, 404), 'IdentitiesNotServed', 'external'],
    ['429', answering(SENTINEL, 429), 'ValidatorFailed', 'external'],
    ['500', answering(SENTINEL, 500), 'ValidatorFailed', 'external'],
    ['503', answering(SENTINEL, 503), 'ValidatorFailed', 'external'],
    ['400', answering(SENTINEL, 400), 'NotIdentities', 'violation'],
    ['204', answering('', 204), 'NotIdentities', 'violation'],
    [
      'a redirect',
      (_, response) => void response.writeHead(302, { location: `/${SENTINEL}` }).end(),
      'RedirectRefused',
      'violation',
    ],
    ['HTML', answering(`<!doctype html><p>${SENTINEL}`), 'NotIdentities', 'violation'],
    ['nothing', answering(''), 'NotIdentities', 'violation'],
    ['null, as a careless pipe stores it', answering('null'), 'NotIdentities', 'violation'],
    [
      'JSON that is cut',
      answering(JSON.stringify({ ...identitiesDump(), version: SENTINEL }).slice(0, -3)),
      'NotIdentities',
      'violation',
    ],
    [
      'bytes that are no UTF-8',
      (_, response) => void response.end(Buffer.from([0x22, 0xff, 0x22])),
      'NotIdentities',
      'violation',
    ],
    ['another document', answering({ identities: { participant: identitiesDump() } }), 'NotIdentities', 'violation'],
    [
      'a sequencer',
      answering({ ...identitiesDump(), id: participantId(SENTINEL).replace('PAR', 'SEQ') }),
      'NotIdentities',
      'violation',
    ],
    ['no key', answering({ ...identitiesDump(), keys: [] }), 'NotIdentities', 'violation'],
    ['no snapshot', answering({ ...identitiesDump(), authorizedStoreSnapshot: '' }), 'NotIdentities', 'violation'],
    [
      'a key without its encryption',
      answering({ ...identitiesDump(), keys: identitiesDump().keys.slice(0, 2) }),
      'NotIdentities',
      'violation',
    ],
    [
      'keys half in KMS',
      answering({ ...identitiesDump(), keys: [...identitiesDump().keys, ...kmsDump().keys] }),
      'NotIdentities',
      'violation',
    ],
    [
      'almost nothing',
      answering({ ...identitiesDump('a', 9), keys: [{ keyPair: 'AAAA' }, { keyPair: 'AAAB' }, { keyPair: 'AAAC' }] }),
      'NotIdentities',
      'violation',
    ],
    ['40 MB', (_, response) => void response.end(Buffer.alloc(40_000_000)), 'BodyTooLarge', 'violation'],
  ] satisfies [string, RequestListener, string, string][])(
    '%s is a named error that quotes nothing',
    async (_, handler, name, kind) => {
      expect(await outcomeOf(handler)).toMatchObject({ name, kind });
    },
  );

  test.each(['A', 'AAA', 'AA=A', 'AAAA\n', 'AA-_', ' AAAA', 'AB==', ''])(
    'a key of %j is not base64',
    async (keyPair) => {
      const { keys, ...dump } = identitiesDump();
      const error = await outcomeOf(answering({ ...dump, keys: [{ keyPair, name: 'namespace' }, ...keys.slice(1)] }));
      expect(error).toMatchObject({ name: 'NotIdentities', message: expect.stringContaining('keys.0') });
    },
  );

  test('a body that stalls ends at the deadline', async () => {
    const error = await outcomeOf((_, response) => void response.write('{"id":'), { totalMs: 100 });
    expect(error).toMatchObject({ name: 'RequestTimedOut', kind: 'external' });
  });

  test('another participant than the registered one is refused, and both are named', async () => {
    const error = await outcomeOf(answering(identitiesDump('mallory')), {}, participantId('alice'));
    expect(error).toMatchObject({ name: 'ForeignParticipant', kind: 'violation' });
    expect(error.message).toContain(participantId('mallory'));
    expect(error.message).toContain(participantId('alice'));
  });
});

describe('captureIdentities', () => {
  const artifact: Artifact = {
    key: 'sets/n/runs/s/1/identities.json.zst.age',
    size: 5,
    sha256: sha256(Buffer.from('stored')),
    content: 'splice-identities-json',
    encodings: ['zstd', 'age'],
    plain: { size: 4, sha256: sha256(Buffer.from('plain')) },
  };

  test('stores the bytes once, forgets them, and tells what the receipt may hold', async () => {
    const dump = kmsDump();
    await using server = await serve(answering(dump));
    const given: Uint8Array[] = [];
    const copies: string[] = [];
    const store: StoreSecret = async (bytes, form) => {
      expect(form).toEqual({ content: 'splice-identities-json', compress: true });
      given.push(bytes);
      copies.push(Buffer.from(bytes).toString());
      return artifact;
    };
    const captured = await captureIdentities(sourceAt(server), callsTo(server), store);
    expect(JSON.parse(copies[0] ?? '')).toEqual(dump);
    expect(given).toHaveLength(1);
    expect(given[0]?.every((byte) => byte === 0)).toBe(true);
    expect(captured).toEqual({
      startedAt: clock().toISOString(),
      endedAt: clock().toISOString(),
      artifacts: [artifact],
      reading: { status: 'known', role: 'identities', identity: dump.id, counters: [] },
      versions: { splice: '0.6.7' },
      notes: {
        class: 'kms',
        keys: '3',
        kmsKeys: 'key-of-encryption key-of-namespace key-of-signing',
        fingerprint: expect.stringMatching(/^[0-9a-f]{64}$/),
      },
    });
  });

  test('never stores what is not valid', async () => {
    await using server = await serve(answering({ ...identitiesDump(), keys: [] }));
    const store = () => Promise.reject(new Error('stored'));
    await expect(captureIdentities(sourceAt(server), callsTo(server), store)).rejects.toMatchObject({
      name: 'NotIdentities',
    });
  });

  test('forgets the bytes when they cannot be stored', async () => {
    await using server = await serve(answering(identitiesDump()));
    let given: Uint8Array = Buffer.alloc(0);
    const store = (bytes: Uint8Array) => {
      given = bytes;
      return Promise.reject(new Error('disk full'));
    };
    await expect(captureIdentities(sourceAt(server), callsTo(server), store)).rejects.toThrow('disk full');
    expect(given.length).toBeGreaterThan(1000);
    expect(given.every((byte) => byte === 0)).toBe(true);
  });
});
