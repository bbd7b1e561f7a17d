import { createHash } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { putSigned } from '../../../vault/documents.ts';
import { apiWorld, BANK_A, OPERATOR, STRANGER } from '../../support/api-world.ts';
import { ToyHistory, unprovenSigner } from '../../support/toy-deliveries.ts';

const sha256 = (bytes: Uint8Array | string) => createHash('sha256').update(bytes).digest('hex');

describe('the history of a chain, to the operator', () => {
  const listing = '/nodes/consortium/history';
  const download = (seq: number | string, key: string) =>
    `${listing}/download?seq=${seq}&key=${encodeURIComponent(key)}`;
  const sealed = async () => {
    const world = apiWorld();
    const history = new ToyHistory(world.vault);
    await history.seal(Buffer.from('blocks'), Buffer.from('more'));
    await history.seal(Buffer.from('newer'));
    await new ToyHistory(world.vault, undefined, 'another').seal(Buffer.from('of another'));
    return world;
  };

  test('is the same listing as a member’s, also of a chain that the configuration no longer has, or before its first run', async () => {
    const world = await sealed();
    const all = (await world.call(OPERATOR, 'GET', listing)).json;
    expect(all).toEqual((await world.call(BANK_A, 'GET', '/members/bank-a/history?node=consortium')).json);
    const { json } = await world.call(OPERATOR, 'GET', `${listing}?after=1`);
    expect(json).toMatchObject({ manifests: [{ seq: 2 }], next: null });
    expect((await world.call(OPERATOR, 'GET', '/nodes/another/history')).json.manifests).toHaveLength(1);
    expect((await apiWorld().call(OPERATOR, 'GET', listing)).json).toEqual({
      ...{ node: 'consortium', manifests: [], next: null },
    });
    expect(await world.call(OPERATOR, 'GET', '/nodes/third/history')).toMatchObject({
      ...{ status: 404, json: { error: { name: 'NoSuchNode' } } },
    });
  });

  test('is downloaded, each object that a manifest lists, with its size and digest beside the URL', async () => {
    const world = await sealed();
    const { json } = await world.call(OPERATOR, 'GET', listing);
    const { key, size, sha256: digest } = json.manifests[0].files[1];
    expect(await world.call(OPERATOR, 'GET', download(1, key))).toEqual({
      status: 200,
      json: {
        ...{ key, size, sha256: digest, url: `https://vault.invalid/${key}?for=900` },
        expiresAt: '2026-11-01T00:15:00.000Z',
      },
    });
    const keys = [...world.vault.objects.keys()].filter((each) => each.startsWith('chain/consortium/'));
    const asked = keys.flatMap((each) => [1, 2].map((seq) => world.call(OPERATOR, 'GET', download(seq, each))));
    const found = (await Promise.all(asked)).filter(({ status }) => status === 200);
    // Each of them once: under the manifest that lists it.
    expect(found.map((each) => each.json)).toMatchObject(
      keys.map((each) => {
        const bytes = world.vault.objects.get(each) ?? Buffer.from('');
        return { key: each, size: bytes.length, sha256: sha256(bytes) };
      }),
    );
  });

  test.each([
    ['of another chain', 'chain/another/slot-1-block-0-0.rlp'],
    ['of another manifest', 'chain/consortium/slot-2-block-2-2.rlp'],
    ['that no manifest lists', 'chain/consortium/slot-1-block-9-9.rlp'],
    ['of a set', 'sets/validator-1/runs/slot-1/1/participant'],
    ['of a set, by a way around', 'chain/consortium/../../sets/validator-1/manifests/00000001.json'],
    ['of a member', 'members/bank-a/00000001.json'],
    ['of the public keys', 'keys/a.pem'],
    ['of the whole vault', '../acme-2/chain/consortium/slot-1-block-0-0.rlp'],
    ['of its folder', 'chain/consortium/'],
    ['that is no name', '\0'],
  ])('has nothing to download %s', async (_what, key) => {
    const world = await sealed();
    for (const path of ['sets/validator-1/runs/slot-1/1/participant', 'keys/a.pem', 'chain/consortium/x-block-9-9.rlp'])
      world.vault.objects.set(path, Buffer.from('private'));
    const { status, json } = await world.call(OPERATOR, 'GET', download(1, key));
    expect({ status, name: json.error.name }).toEqual({ status: 404, name: 'NoSuchFile' });
    expect(world.failures).toEqual([]);
  });

  test('has nothing to download of what a manifest cites elsewhere', async () => {
    const world = await sealed();
    const key = 'chain/consortium/manifests/00000003.json';
    const second = Buffer.from(world.vault.objects.get('chain/consortium/manifests/00000002.json') ?? '');
    const manifest = JSON.parse(second.toString());
    const cited = { key: 'sets/validator-1/runs/slot-1/1/receipts/participant.end.json', sha256: sha256('private') };
    world.vault.objects.set(cited.key, Buffer.from('private'));
    const forged = { ...manifest, seq: 3, agreement: cited, records: [cited] };
    await putSigned(world.vault, unprovenSigner, key, forged);
    expect(await world.call(OPERATOR, 'GET', download(3, key))).toMatchObject({ status: 200 });
    expect(await world.call(OPERATOR, 'GET', download(3, cited.key))).toMatchObject({ status: 404 });
  });

  test('that is not as it was sealed has no URL, and the log has why', async () => {
    for (const spoil of [
      { key: 'chain/consortium/slot-1-block-0-0.rlp', bytes: undefined },
      { key: 'chain/consortium/slot-1-block-0-0.rlp', bytes: Buffer.from('longer than it was') },
      { key: 'chain/consortium/records/slot-1-block-0-0.rlp.json', bytes: Buffer.from('{}') },
      { key: 'chain/consortium/runs/slot-1/1/agreement.json', bytes: Buffer.from('{}') },
      { key: 'chain/consortium/manifests/00000001.json', bytes: Buffer.from('{}') },
    ]) {
      const world = await sealed();
      if (spoil.bytes === undefined) world.vault.objects.delete(spoil.key);
      else world.vault.objects.set(spoil.key, spoil.bytes);
      const { status, json } = await world.call(OPERATOR, 'GET', download(1, spoil.key));
      expect({ status, name: json.error?.name }).toEqual({ status: 500, name: 'NotAnswered' });
      expect(world.failures).toHaveLength(1);
    }
  });

  test.each([download(1, ''), download(0, 'a'), download('x', 'a'), `${listing}/download?key=a`, `${listing}?node=a`])(
    'is not asked for by %s',
    async (url) => {
      const { status, json } = await (await sealed()).call(OPERATOR, 'GET', url);
      expect({ status, name: json.error.name }).toEqual({ status: 400, name: 'RequestInvalid' });
    },
  );

  test.each([listing, download(1, 'chain/consortium/slot-1-block-0-0.rlp')])(
    'is no business of a member, a stranger or who has not signed: %s',
    async (url) => {
      const world = await sealed();
      for (const who of [BANK_A, STRANGER, undefined]) {
        const { status, json } = await world.call(who, 'GET', url);
        expect({ status, name: json.error.name }).toEqual({
          ...{ status: 403, name: who === undefined ? 'CallerUnknown' : 'OperatorOnly' },
        });
      }
    },
  );
});
