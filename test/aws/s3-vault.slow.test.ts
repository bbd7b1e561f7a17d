import { createHash } from 'node:crypto';
import {
  CreateBucketCommand,
  GetObjectRetentionCommand,
  HeadObjectCommand,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { s3Client } from '../../aws/s3-client.ts';
import { type S3VaultOptions, s3Janitor, s3Vault } from '../../aws/s3-vault.ts';
import { VaultUnavailable } from '../../core/vault.ts';
import { behavesLikeAVault } from '../conformance/behaves-like-a-vault.ts';
import { findVersitygw, startVersitygw, type Versitygw } from '../support/versitygw.ts';

const binary = findVersitygw();

/** The smallest part that S3 takes, so that the suite's streams of 12 MB have three. */
const partSize = (): number => 5 * 1024 * 1024;
const Bucket = 'vault-under-test';

if (binary === undefined) {
  describe.skip('a bucket on versitygw (not in the cache nor on PATH: run scripts/install-versitygw.sh)', () => {
    test('behaves like a vault', () => {});
  });
} else {
  behavesLikeAVault('a bucket on versitygw', async () => {
    const server = await startVersitygw(binary);
    const client = s3Client(server);
    await client.send(new CreateBucketCommand({ Bucket }));
    const options = { client, bucket: Bucket, prefix: 'networks/acme', account: server.account, partSize };
    return {
      vault: s3Vault(options),
      janitor: s3Janitor(options),
      cleanup: async () => {
        client.destroy();
        await server.stop();
      },
    };
  });

  describe('a bucket with versions and locks on versitygw', () => {
    let server: Versitygw;
    let client: S3Client;
    let options: S3VaultOptions;

    beforeAll(async () => {
      server = await startVersitygw(binary, { versions: true });
      client = s3Client(server);
      await client.send(new CreateBucketCommand({ Bucket, ObjectLockEnabledForBucket: true }));
      options = { client, bucket: Bucket, account: server.account, partSize };
    });

    afterAll(async () => {
      client.destroy();
      await server.stop();
    });

    async function* large(): AsyncGenerator<Uint8Array> {
      for (let chunk = 0; chunk < 120; chunk += 1) yield Buffer.alloc(100_000, chunk);
    }

    test('locks each object by its class, small or large', async () => {
      const retainUntil = new Date(Date.now() + 3_600_000);
      const lockFor = (key: string) =>
        key.startsWith('manifests/') ? ({ mode: 'GOVERNANCE', retainUntil } as const) : undefined;
      const vault = s3Vault({ ...options, lockFor });
      await vault.putOnce('manifests/1.json', Buffer.from('{}'));
      await vault.putOnce('leases/1.json', Buffer.from('{}'));
      await vault.writeOnce('manifests/large', large());
      for (const Key of ['manifests/1.json', 'manifests/large']) {
        const { Retention } = await client.send(new GetObjectRetentionCommand({ Bucket, Key }));
        expect(Retention?.Mode).toBe('GOVERNANCE');
        expect(Math.abs((Retention?.RetainUntilDate?.getTime() ?? 0) - retainUntil.getTime())).toBeLessThan(1000);
      }
      const free = client.send(new GetObjectRetentionCommand({ Bucket, Key: 'leases/1.json' }));
      await expect(free).rejects.toMatchObject({ name: 'NoSuchObjectLockConfiguration' });
    });

    test('has S3 attest the digest of a small object and the checksum of a whole large one', async () => {
      const vault = s3Vault(options);
      await vault.putOnce('attested/small', Buffer.from('hello'));
      await vault.writeOnce('attested/large', large());
      const head = (Key: string) => client.send(new HeadObjectCommand({ Bucket, Key, ChecksumMode: 'ENABLED' }));
      const sha256 = createHash('sha256').update('hello').digest('base64');
      expect(await head('attested/small')).toMatchObject({ ChecksumSHA256: sha256 });
      expect(await head('attested/large')).toMatchObject({ ChecksumType: 'FULL_OBJECT', ContentLength: 12_000_000 });
    });

    test('refuses what does not match its checksum', async () => {
      const request = { Bucket, Key: 'wrong', Body: 'hello', ChecksumSHA256: Buffer.alloc(32).toString('base64') };
      await expect(client.send(new PutObjectCommand(request))).rejects.toMatchObject({ name: 'BadDigest' });
    });

    test('of 20 writers with connections of their own lets exactly one win', async () => {
      const clients = Array.from({ length: 20 }, () => s3Client(server));
      const won = await Promise.all(
        clients.map((each, index) => s3Vault({ ...options, client: each }).putOnce('race', Buffer.from([index]))),
      );
      for (const each of clients) each.destroy();
      expect(won.filter(Boolean)).toHaveLength(1);
      expect(await s3Vault(options).get('race')).toEqual(Buffer.from([won.indexOf(true)]));
    });

    test('of another account gets nothing and gives nothing', async () => {
      const vault = s3Vault({ ...options, account: '222222222222' });
      const works = [
        () => vault.get('race'),
        () => vault.stat('race'),
        () => vault.putOnce('foreign', Buffer.from('x')),
      ];
      for (const work of [...works, () => vault.writeOnce('foreign', large())]) {
        await expect(work()).rejects.toBeInstanceOf(VaultUnavailable);
      }
      expect(await s3Vault(options).stat('foreign')).toBeUndefined();
    });

    test('that does not exist is unavailable, not empty', async () => {
      const vault = s3Vault({ client, bucket: 'no-such-bucket' });
      const listing = async () => {
        for await (const { key } of vault.list('')) expect(key).toBeUndefined();
      };
      for (const work of [() => vault.get('x'), () => vault.stat('x'), listing]) {
        await expect(work()).rejects.toMatchObject({
          name: 'VaultUnavailable',
          remedy: expect.stringContaining('Create the bucket'),
        });
      }
    });
  });
}
