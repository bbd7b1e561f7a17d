import { describe, expect, test } from '@jest/globals';
import { scanCheck } from '../../cli/checks/scan.ts';
import type { Loaded } from '../../cli/context.ts';
import type { PreparedNode } from '../../cli/nodes.ts';
import { nodeWarnings } from '../../cli/warnings.ts';
import { serve } from '../support/loopback.ts';

const loaded = (config: object) => ({ config, path: (name: string) => name }) as unknown as Loaded;
const nodeAt = (host: string) =>
  ({
    node: { protocol: 'canton' },
    databases: new Map([['participant', { url: `postgres://u@${host}:5432/d` }]]),
  }) as unknown as PreparedNode;

describe('a vault on the node’s own host', () => {
  const folder = loaded({ vault: { folder: '/tmp' } });
  const own = ['192.0.2.7', '2001:db8::7'];
  const warned = async (host: string, config = folder) => (await nodeWarnings(config, nodeAt(host), own)).length === 1;

  test('is warned of where the database is at an address of this machine, whichever', async () => {
    for (const host of ['localhost', '127.0.0.1', '192.0.2.7', '[2001:db8::7]']) expect(await warned(host)).toBe(true);
    expect(await warned('192.0.2.8')).toBe(false);
    expect(await warned('192.0.2.8', loaded({ vault: { folder: '/tmp' } }))).toBe(false);
  });

  test('may be an S3 server here, and is harmless with a second one elsewhere', async () => {
    const s3 = (endpoint: string) => ({ s3: { bucket: 'b', endpoint } });
    expect(await warned('127.0.0.1', loaded({ vault: s3('http://192.0.2.7:9000') }))).toBe(true);
    expect(await warned('127.0.0.1', loaded({ vault: s3('http://192.0.2.8:9000') }))).toBe(false);
    const both = { vault: { folder: '/tmp' }, secondVault: s3('http://192.0.2.8:9000') };
    expect(await warned('127.0.0.1', loaded(both))).toBe(false);
  });
});

describe('doctor’s look at Scan', () => {
  const findings = (scan: string | undefined) => {
    const node = { name: 'validator-1', protocol: 'splice', ...(scan === undefined ? {} : { scan }) };
    const context = { nodes: [{ node }], shell: { signal: AbortSignal.any([]) } };
    return scanCheck.run(context as unknown as Parameters<typeof scanCheck.run>[0]);
  };

  test('tells what it says', async () => {
    const sequencers = [{ migrationId: 4, synchronizerSerial: 1 }];
    const answers: Record<string, unknown> = {
      '/api/scan/v0/active-synchronizer-serial': { serial: 1 },
      '/api/scan/v0/dso-sequencers': { domainSequencers: [{ domainId: 'global-domain::1220ab', sequencers }] },
    };
    await using server = await serve(
      (request, response) => void response.end(JSON.stringify(answers[request.url ?? ''])),
    );
    const text = 'validator-1: global-domain::1220ab, serial 1, migration 4';
    expect(await findings(server.origin)).toEqual([{ level: 'ok', text }]);
  });

  test('warns where it cannot be had, and is silent where none is named', async () => {
    await using server = await serve((_, response) => void response.writeHead(503).end());
    const found = await findings(server.origin);
    expect(found.map(({ level }) => level)).toEqual(['warn', 'warn', 'warn']);
    expect(found[0]?.text).toBe('validator-1: serial is unavailable: Scan answered 503');
    expect(await findings(undefined)).toEqual([]);
  });
});
