import { describe, expect, test } from '@jest/globals';
import { StoredSettings } from '../../../core/chain-settings.ts';
import { Fence, NodeName, Slot } from '../../../core/names.ts';
import { putDocument } from '../../../vault/documents.ts';
import { HISTORY } from '../../../vault/history.ts';
import { agreementKey, settingsKey } from '../../../vault/layout.ts';
import { claim } from '../../../vault/leases.ts';
import { apiWorld, BANK_A, OPERATOR, STRANGER } from '../../support/api-world.ts';
import { ToyHistory } from '../../support/toy-deliveries.ts';

const URL = '/nodes/consortium/backup';

describe('the backup of a chain', () => {
  test('is what the configuration says, until the operator sets it; each change is a version', async () => {
    const world = apiWorld();
    const initial = (await world.call(OPERATOR, 'GET', URL)).json;
    expect(initial).toEqual({
      ...{ node: 'consortium', enabled: false, timesADay: 4, version: 0, at: null, by: null, inProgress: null },
    });
    const patched = await world.call(OPERATOR, 'PATCH', URL, { enabled: true });
    expect(patched).toMatchObject({ status: 200, json: { enabled: true, timesADay: 4, version: 1 } });
    const put = await world.call(OPERATOR, 'PUT', URL, { enabled: true, timesADay: 2 });
    expect(put.json).toMatchObject({
      enabled: true,
      timesADay: 2,
      version: 2,
      by: expect.stringMatching(/^arn:aws:sts/),
    });
    expect((await world.call(OPERATOR, 'PUT', URL, { enabled: true, timesADay: 2 })).json).toEqual(put.json);
    expect(await world.call(OPERATOR, 'GET', URL)).toEqual(put);
  });

  test('set twice at once ends with both changes', async () => {
    const world = apiWorld();
    await Promise.all([{ enabled: true }, { timesADay: 3 }].map((body) => world.call(OPERATOR, 'PATCH', URL, body)));
    expect((await world.call(OPERATOR, 'GET', URL)).json).toMatchObject({ enabled: true, timesADay: 3, version: 2 });
  });

  test.each([
    ['PUT', { enabled: true }],
    ['PUT', { enabled: true, timesADay: 5 }],
    ['PUT', { enabled: true, timesADay: '2' }],
    ['PATCH', {}],
    ['PATCH', { timesADay: 0 }],
    ['PATCH', { enabled: true, every: 60 }],
  ])('is not set by %s of %j', async (method, body) => {
    const world = apiWorld();
    expect((await world.call(OPERATOR, method, URL, body)).status).toBe(400);
    expect(world.vault.objects.size).toBe(0);
  });

  test.each(['GET', 'PUT', 'PATCH'])('is no business of a member or a stranger: %s', async (method) => {
    const world = apiWorld();
    for (const [who, name] of [
      [BANK_A, 'OperatorOnly'],
      [STRANGER, 'OperatorOnly'],
      [undefined, 'CallerUnknown'],
    ] as const) {
      const { status, json } = await world.call(who, method, URL, { enabled: true, timesADay: 1 });
      expect({ status, name: json.error.name }).toEqual({ status: 403, name });
    }
    expect(world.vault.objects.size).toBe(0);
  });

  test.each(['another', '__proto__', '..%2fmembers', 'CONSORTIUM'])('there is none for %s', async (node) => {
    const world = apiWorld();
    const { status, json } = await world.call(OPERATOR, 'PUT', `/nodes/${node}/backup`, {
      enabled: true,
      timesADay: 1,
    });
    expect({ status, name: json.error.name }).toEqual({ status: 404, name: 'NoSuchNode' });
    expect(world.vault.objects.size).toBe(0);
  });

  test('whose newest settings do not follow the ones before is not guessed', async () => {
    const world = apiWorld();
    await world.call(OPERATOR, 'PATCH', URL, { enabled: true });
    await world.call(OPERATOR, 'PATCH', URL, { timesADay: 1 });
    const first = StoredSettings.parse(
      JSON.parse(String(Buffer.from(world.vault.objects.get(settingsKey('consortium', 1)) ?? []))),
    );
    world.vault.objects.delete(settingsKey('consortium', 1));
    await putDocument(world.vault, settingsKey('consortium', 1), { ...first, enabled: false });
    expect((await world.call(OPERATOR, 'GET', URL)).status).toBe(500);
  });

  test('tells what its run is at: its slot, its step, and the newest file that is done', async () => {
    const world = apiWorld();
    const { vault } = world;
    const clock = { now: () => new Date() };
    const slot = Slot.parse('slot-1');
    await claim({ vault, clock, holderGone: () => false }, HISTORY, 'a test', {
      node: NodeName.parse('consortium'),
      slot,
    });
    const call = async (seconds = 0) => {
      world.setClock(new Date(Date.now() + seconds * 1000));
      return (await world.call(OPERATOR, 'GET', URL)).json.inProgress;
    };
    expect(await call()).toEqual({
      run: 'slot-1',
      since: vault.modifiedAt.toISOString(),
      step: 'agreeing on the end',
      file: null,
    });
    // What a run leaves before its manifest: the agreement, a file and its record.
    await new ToyHistory(vault).seal(Buffer.from('blocks'));
    expect(vault.objects.has(agreementKey({ node: 'consortium', slot, fence: Fence.parse(1) }))).toBe(true);
    expect(await call()).toMatchObject({ step: 'exporting files, or sealing them', file: 'slot-1-block-0-0.rlp' });
    expect(await call(3600)).toBeNull();
  });
});
