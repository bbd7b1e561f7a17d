import { S3Client } from '@aws-sdk/client-s3';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { s3LargeCopy } from '../../../aws/s3-large-copy.ts';
import { s3Vault } from '../../../aws/s3-vault.ts';
import type { About } from '../../../core/ports.ts';
import { slotAt } from '../../../core/schedule.ts';
import { acceptOutput } from '../../../core/step.ts';
import type { Vault } from '../../../core/vault.ts';
import { copyVault } from '../../../lambdas/copy-vault/contract.ts';
import { run } from '../../../lambdas/copy-vault/run.ts';
import { verify } from '../../../vault/verify.ts';
import { type FaultyS3, startFaultyS3 } from '../../fakes/faulty-s3.ts';
import { type Operation, OWNER, type S3Request } from '../../fakes/s3-memory.ts';
import { backupToy, newKeys, toyProtocol } from '../../support/toy-sets.ts';

const keys = newKeys();
const day = (n: number): Date => new Date(Date.UTC(2026, 10, n));

let s3: FaultyS3;
let client: S3Client;
beforeEach(async () => {
  s3 = await startFaultyS3();
  const credentials = { accessKeyId: 'a', secretAccessKey: 'b' };
  // Whoever is killed tries nothing again.
  const common = { region: 'eu-central-1', credentials, forcePathStyle: true, maxAttempts: 1 };
  client = new S3Client({ ...common, endpoint: s3.endpoint });
});
afterEach(async () => {
  client.destroy();
  await s3.stop();
});

/** Both vaults over HTTP, in one fake; artifacts are large, so that both ways are gone. */
function world() {
  const at = { client, bucket: 'bucket', account: OWNER };
  const [from, to] = [
    { ...at, prefix: 'first' },
    { ...at, prefix: 'second', partSize: () => 16 },
  ];
  const [vault, second, large] = [s3Vault(from), s3Vault({ ...at, prefix: 'second' }), s3LargeCopy(from, to, 64)];
  const notes: [string, About][] = [];
  const journal = { note: (what: string, about: About) => void notes.push([what, about]), failure: () => {} };
  const clock = { ticks: 0, now: () => new Date(day(9).getTime() + clock.ticks++ * 1000) };
  const turn = async (milliseconds = 3_600_000) =>
    acceptOutput(copyVault, await run({}, { vault, second, large, clock, journal, turn: milliseconds }));
  return { vault, second, turn, notes };
}

const backUp = async (vault: Vault, ...days: number[]) => {
  for (const n of days) await backupToy({ vault, keys, now: () => day(n) }, slotAt(day(n)));
};

const proof = (vault: Vault) =>
  verify({ vault, publicKeys: [keys.publicKey], protocolNamed: () => toyProtocol, depth: 'bytes' });

const READS: readonly Operation[] = ['GetObject', 'HeadObject', 'ListObjectsV2'];
const changes = ({ operation }: S3Request): boolean => !READS.includes(operation);

/** All objects under a prefix, as text. */
const under = (prefix: string) =>
  Object.fromEntries(
    [...s3.memory.objects].flatMap(([key, { body }]) =>
      key.startsWith(`${prefix}/`) ? [[key.slice(prefix.length), body.toString('base64')]] : [],
    ),
  );

describe('a turn of the copy', () => {
  test('that has the time for it gives the second vault everything, proven offline by the public key', async () => {
    const { vault, second, turn, notes } = world();
    await backUp(vault, 1, 2);
    const first = await turn();
    expect(under('second')).toEqual(under('first'));
    expect(first).toMatchObject({ done: true, objects: Object.keys(under('first')).length });
    expect(first.bytes).toBe(
      Object.values(under('first')).reduce((sum, b) => sum + Buffer.from(b, 'base64').length, 0),
    );
    const { done, objects, bytes } = first;
    expect(notes).toEqual([['copied', { done, objects, bytes }]]);
    expect((await proof(second)).status).toBe('proven');
    expect(s3.log.filter(({ operation }) => operation === 'UploadPartCopy').length).toBeGreaterThan(0);
    expect(await turn()).toMatchObject({ done: true, objects: 0, bytes: 0, snapshots: [] });
  });

  test('whose time is over finishes an object and says that it is not done; the turns after it are', async () => {
    const { vault, second, turn } = world();
    await backUp(vault, 1);
    const all = Object.keys(under('first')).length;
    const turns = [];
    do turns.push(await turn(1));
    while (turns.at(-1)?.done === false && turns.length <= all + 1);
    expect(turns.reduce((sum, { objects }) => sum + objects, 0)).toBe(all);
    // A manifest comes with its signature, or not at all.
    expect(turns.slice(0, -1).map(({ objects }) => objects)).toEqual(Array(turns.length - 1).fill(1));
    expect(turns.map(({ done }) => done)).toEqual([...Array(turns.length - 1).fill(false), true]);
    expect((await proof(second)).status).toBe('proven');
  });

  test('killed between any two calls that change something leaves whole sets only, and the next one ends the work', async () => {
    const { vault, second, turn } = world();
    await backUp(vault, 1);
    s3.log.length = 0;
    await turn();
    const calls = s3.log.filter(changes).length;
    const whole = under('second');
    expect(calls).toBeGreaterThan(15);
    for (let lives = 0; lives < calls; lives += 1) {
      for (const key of [...s3.memory.objects.keys()]) if (key.startsWith('second/')) s3.memory.objects.delete(key);
      let left = lives;
      s3.onRequest = (request) => {
        if (changes(request)) left -= 1;
        if (left < 0) throw new Error('killed');
      };
      await expect(turn()).rejects.toThrow();
      s3.onRequest = () => {};
      expect((await proof(second)).sets.filter(({ status }) => status !== 'proven')).toEqual([]);
      expect(await turn()).toMatchObject({ done: true });
      expect(under('second')).toEqual(whole);
    }
  }, 120_000);

  test('does not take over what is damaged, and fails by its name until it is mended', async () => {
    const { vault, second, turn } = world();
    await backUp(vault, 1);
    const [key = ''] = [...s3.memory.objects.keys()].filter((each) => each.endsWith('/app.bin'));
    const sound = s3.memory.objects.get(key);
    if (sound === undefined) throw new Error('no artifact');
    s3.memory.objects.set(key, { ...sound, body: Buffer.from(sound.body).fill(0, 0, 1) });
    for (let times = 0; times < 2; times += 1) await expect(turn()).rejects.toMatchObject({ name: 'CopyRefused' });
    expect(await second.stat(key.slice('first/'.length))).toBeUndefined();
    s3.memory.objects.set(key, sound);
    expect(await turn()).toMatchObject({ done: true, objects: 1 });
    expect((await proof(second)).status).toBe('proven');
  });

  test('never mixes two histories', async () => {
    const { vault, second, turn } = world();
    await backUp(vault, 1);
    await backupToy({ vault: second, keys: newKeys(), now: () => day(1) }, slotAt(day(1)));
    const before = under('second');
    await expect(turn()).rejects.toMatchObject({ name: 'CopiesDiffer' });
    expect(under('second')).toEqual(before);
  });
});
