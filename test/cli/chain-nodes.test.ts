import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { type ChainCli, chainCli } from '../support/chain-cli.ts';

jest.setTimeout(60_000);

let world: ChainCli;
let now: Date;
const json = async (...args: string[]) => (await world.cli(...args)).json();

interface Listed {
  readonly node: string;
  readonly enabled: boolean;
  readonly timesADay: number;
}

beforeEach(async () => {
  now = new Date('2026-11-01T07:00:00Z');
  world = await chainCli(8, () => now);
});
afterEach(async () => world[Symbol.asyncDispose]());

describe('the chains of a configuration', () => {
  test('are backed up as it says until somebody sets them, which status and serve go by', async () => {
    const { nodes } = (await json('nodes', 'list')) as { nodes: readonly Listed[] };
    expect(nodes).toMatchObject([{ node: 'consortium', version: 0, by: null, at: null }]);
    const { node, enabled, timesADay } = nodes[0] as Listed;
    const other = timesADay === 2 ? 3 : 2;
    const set = await json('nodes', 'set', node, enabled ? '--disable' : '--enable', '--times-a-day', String(other));
    expect(set).toMatchObject({ ok: true, code: enabled ? 'DISABLED' : 'ENABLED', timesADay: other, version: 1 });
    expect((await json('nodes', 'set', node, '--disable')).enabled).toBe(false);
    expect((await json('status')).chains).toMatchObject([{ enabled: false, everySeconds: 86_400 / other }]);
    expect(await json('serve', '--once')).toMatchObject({ code: 'SERVED', nodes: [] });
    expect(await json('nodes', 'set', node, '--enable')).toMatchObject({ code: 'ENABLED', by: expect.any(String) });
    // What was due before it was set is left alone.
    expect(await json('serve', '--once')).toMatchObject({ nodes: [] });
    now = new Date('2026-11-02T00:00:30Z');
    expect((await json('serve', '--once')).nodes).toMatchObject([{ node, slot: '2026-11-02T00:00:00Z' }]);
  });

  test.each([
    ['another'],
    ['consortium'],
    ['consortium', '--times-a-day', '5'],
    ['consortium', '--enable', '--disable'],
  ])('are not set by %s %s %s', async (...args) => {
    expect((await world.cli('nodes', 'set', ...args)).exit).toBe(2);
    expect((await json('nodes', 'list')).nodes).toMatchObject([{ version: 0 }]);
  });
});
