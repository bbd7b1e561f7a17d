import { describe, expect, test } from '@jest/globals';
import { guardedHttp } from '../../../io/http.ts';
import { outboundTo } from '../../../io/http-guard.ts';
import { scanFacts } from '../../../protocols/splice/scan.ts';
import { serve } from '../../support/loopback.ts';

const domain = (domainId: string, ...sequencers: [migrationId: number, synchronizerSerial?: number][]) => ({
  domainId,
  sequencers: sequencers.map(([migrationId, synchronizerSerial]) => ({
    migrationId,
    id: 'SEQ::x',
    url: 'https://sequencer.example',
    svName: 'sv',
    ...(synchronizerSerial === undefined ? {} : { synchronizerSerial }),
  })),
});

/** Facts from a Scan that answers `serial` and `listed`; text is sent as it is, undefined gives 404. */
async function factsFrom(serial: unknown, listed: unknown) {
  await using server = await serve((request, response) => {
    const answer = request.url === '/api/scan/v0/active-synchronizer-serial' ? serial : listed;
    if (answer === undefined) response.writeHead(404).end();
    else response.end(typeof answer === 'string' ? answer : JSON.stringify(answer));
  });
  return await scanFacts(`${server.origin}/`, guardedHttp(outboundTo([server.origin])));
}

const global = 'global-domain::1220ab';

describe('scanFacts', () => {
  test('names the synchronizer whose sequencers have the active serial', async () => {
    const domainSequencers = [domain('old::1220cd', [3, 0]), domain(global, [4, 1], [4, 1], [3, 0])];
    const facts = await factsFrom({ serial: 1 }, { domainSequencers });
    expect(facts).toEqual({ serial: '1', logicalSynchronizer: global, migrationId: '4' });
  });

  test('serial 0 is a serial', async () => {
    const domainSequencers = [domain(global, [4, 0]), domain('next::1220ef', [5, 1])];
    expect(await factsFrom({ serial: 0 }, { domainSequencers })).toEqual({
      serial: '0',
      logicalSynchronizer: global,
      migrationId: '4',
    });
  });

  test('an older Scan tells no serial: the only synchronizer is named, several are not guessed from', async () => {
    const one = await factsFrom(undefined, { domainSequencers: [domain(global, [4], [4])] });
    expect(one).toEqual({ serial: 'unavailable: Scan answered 404', logicalSynchronizer: global, migrationId: '4' });
    const two = await factsFrom(undefined, { domainSequencers: [domain(global, [4]), domain('b::1', [5])] });
    expect(two).toMatchObject({
      logicalSynchronizer: 'unavailable: Scan names 2',
      migrationId: 'unavailable: Scan names 2',
    });
  });

  test.each([
    ['a page', '<html>'],
    ['another form', { domains: [] }],
    ['null', 'null'],
  ])('%s in place of an answer is said to be unavailable', async (_, answer) => {
    const form = 'unavailable: Scan answered in a form unknown here';
    expect(await factsFrom(answer, answer)).toEqual({ serial: form, logicalSynchronizer: form, migrationId: form });
  });

  test('a Scan that is away is said to be unavailable, by the name of the error', async () => {
    const facts = await scanFacts('https://scan.example', guardedHttp(outboundTo([])));
    const away = 'unavailable: OriginNotAllowed';
    expect(facts).toEqual({ serial: away, logicalSynchronizer: away, migrationId: away });
  });

  test('whoever gives up is told so', async () => {
    const reason = new Error('stopped');
    const http = guardedHttp(outboundTo(['https://scan.example']));
    await expect(scanFacts('https://scan.example', http, AbortSignal.abort(reason))).rejects.toBe(reason);
  });
});
