import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Artifact } from '../../core/receipts.ts';
import type { Vault } from '../../core/vault.ts';
import { ageDecryption, ageEncryption, ageIdentity } from '../../io/age.ts';
import { noEncryption } from '../../io/no-encryption.ts';
import { folderVault } from '../../local/folder-vault.ts';
import {
  ArtifactDamaged,
  IdentityNeeded,
  openArtifact,
  type StoreOptions,
  storeArtifact,
} from '../../vault/artifact.ts';
import { collect, cut, sample } from '../support/bytes.ts';

const plain: StoreOptions = { content: 'bytes', compress: 'none', encryption: noEncryption, context: {} };

describe('an artifact', () => {
  let folder: string;
  let vault: Vault;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ledgerhold-test-'));
    vault = folderVault(folder);
  });
  afterAll(() => rm(folder, { recursive: true }));

  let keys = 0;
  const stored = (bytes: Uint8Array, options: Partial<StoreOptions>, size = 70_000): Promise<Artifact> =>
    storeArtifact(vault, `artifact-${(keys += 1)}`, cut(bytes, size), { ...plain, ...options });

  const ways = (['zstd', 'gzip', 'none'] as const).flatMap((compress) =>
    [true, false].map((secret) => [compress, secret] as const),
  );
  test.each(ways)('comes back as it was captured (%s, encrypted: %s)', async (compress, secret) => {
    const { identity, recipient } = await ageIdentity();
    const encryption = secret ? ageEncryption([recipient]) : noEncryption;
    for (const size of [0, 1, 65_536, 3_000_001]) {
      const bytes = sample(size);
      const artifact = await stored(bytes, { compress, encryption });
      const encodings = [...(compress === 'none' ? [] : [compress]), ...(secret ? ['age'] : [])];
      expect(artifact).toMatchObject({ content: 'bytes', encodings, plain: { size } });
      expect(await vault.stat(artifact.key)).toMatchObject({ size: artifact.size });
      expect((await collect(openArtifact(vault, artifact, ageDecryption(identity)))).equals(bytes)).toBe(true);
    }
  });

  test.each(ways)(
    'of which any bit has changed is not opened as if it were whole (%s, encrypted: %s)',
    async (compress, secret) => {
      const { identity, recipient } = await ageIdentity();
      const encryption = secret ? ageEncryption([recipient]) : noEncryption;
      const artifact = await stored(sample(500), { compress, encryption });
      const whole = await readFile(join(folder, artifact.key));
      for (let at = 0; at < whole.length; at += 11) {
        const changed = Buffer.from(whole);
        changed[at] = (changed[at] ?? 0) ^ (1 << (at % 8));
        await writeFile(join(folder, artifact.key), changed);
        await expect(collect(openArtifact(vault, artifact, ageDecryption(identity)))).rejects.toMatchObject({
          kind: expect.stringMatching(/violation|usage|unknown/),
        });
      }
    },
  );

  test.each(['zstd', 'gzip', 'none'] as const)(
    'that was cut, lengthened or swapped is damaged (%s)',
    async (compress) => {
      const [artifact, other] = [
        await stored(sample(100_000), { compress }),
        await stored(sample(100_001), { compress }),
      ];
      const whole = await readFile(join(folder, artifact.key));
      const swapped = await readFile(join(folder, other.key));
      for (const bytes of [
        whole.subarray(0, -1),
        Buffer.concat([whole, Buffer.from('x')]),
        Buffer.concat([whole, whole]),
        swapped,
      ]) {
        await writeFile(join(folder, artifact.key), bytes);
        await expect(collect(openArtifact(vault, artifact))).rejects.toThrow(ArtifactDamaged);
      }
    },
  );

  test('that is encrypted is not opened without what opens it', async () => {
    const { recipient } = await ageIdentity();
    const artifact = await stored(sample(10), { encryption: ageEncryption([recipient]) });
    expect(() => openArtifact(vault, artifact)).toThrow(IdentityNeeded);
  });

  test.each(['zstd', 'gzip', 'none'] as const)(
    'whose source fails is not stored, and fails by the source’s own error (%s)',
    async (compress) => {
      const broken = new Error('the source broke');
      let closed = false;
      const source = async function* () {
        try {
          for (let piece = 0; piece < 50; piece += 1) yield sample(100_000);
          throw broken;
        } finally {
          closed = true;
        }
      };
      await expect(storeArtifact(vault, `broken-${compress}`, source(), { ...plain, compress })).rejects.toBe(broken);
      expect(closed).toBe(true);
      expect(await vault.stat(`broken-${compress}`)).toBeUndefined();
    },
  );

  test.each(['zstd', 'gzip', 'none'] as const)(
    'whose storing is given up is not stored, and leaves its source closed (%s)',
    async (compress) => {
      const abort = new AbortController();
      const closed = Promise.withResolvers<void>();
      const source = async function* () {
        try {
          for (;;) yield sample(100_000);
        } finally {
          closed.resolve();
        }
      };
      const onBytes = (bytes: number) => bytes > 3_000_000 && abort.abort(new Error('given up'));
      const storing = storeArtifact(vault, `given-up-${compress}`, source(), {
        ...plain,
        compress,
        signal: abort.signal,
        onBytes,
      });
      await expect(storing).rejects.toThrow('given up');
      await closed.promise;
      expect(await vault.stat(`given-up-${compress}`)).toBeUndefined();
    },
  );

  test('takes pieces that are valid only until the next is asked for', async () => {
    const shared = Buffer.alloc(50_000);
    const source = async function* () {
      for (let piece = 0; piece < 40; piece += 1) {
        shared.fill(piece);
        yield shared;
        shared.fill(0xff);
      }
    };
    const expected = Buffer.concat(Array.from({ length: 40 }, (_, piece) => Buffer.alloc(50_000, piece)));
    const { identity, recipient } = await ageIdentity();
    for (const [compress, secret] of ways) {
      const encryption = secret ? ageEncryption([recipient]) : noEncryption;
      const artifact = await storeArtifact(vault, `shared-${compress}-${secret}`, source(), {
        ...plain,
        compress,
        encryption,
      });
      expect((await collect(openArtifact(vault, artifact, ageDecryption(identity)))).equals(expected)).toBe(true);
    }
  });
});
