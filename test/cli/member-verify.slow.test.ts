import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateBucketCommand, DeleteObjectCommand, PutBucketPolicyCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { s3Client } from '../../aws/s3-client.ts';
import { s3Vault } from '../../aws/s3-vault.ts';
import { runCli } from '../support/cli.ts';
import { deliver, otherStory, threeRuns } from '../support/member-copy.ts';
import type { HistoryWorld } from '../support/toy-history.ts';
import { findVersitygw, newAccount, startVersitygw, type Versitygw } from '../support/versitygw.ts';

const binary = findVersitygw();

if (binary === undefined) {
  describe.skip('a member’s bucket on versitygw (not in the cache nor on PATH: run scripts/install-versitygw.sh)', () => {
    test('is verified with the member’s own credentials', () => {});
  });
} else {
  describe('a member’s bucket on versitygw', () => {
    let server: Versitygw;
    let world: HistoryWorld;
    let cwd: string;
    const members: Record<string, Awaited<ReturnType<typeof newAccount>>> = {};

    beforeAll(async () => {
      server = await startVersitygw(binary);
      world = await threeRuns();
      cwd = await mkdtemp(join(tmpdir(), 'ledgerhold-member-'));
      await writeFile(join(cwd, 'public-key.pem'), world.keys.publicKey);
      for (const [id, from] of [
        ['bank-a', world.vault],
        ['bank-b', await otherStory(world)],
      ] as const) {
        const account = await newAccount(server, id);
        members[id] = account;
        const client = s3Client({ ...server, credentials: account });
        await client.send(new CreateBucketCommand({ Bucket: id }));
        await deliver(from, s3Vault({ client, bucket: id, prefix: prefixOf(id) }));
        client.destroy();
      }
    });
    afterAll(async () => {
      await server.stop();
      await rm(cwd, { recursive: true });
    });

    const prefixOf = (id: string) => `ledgerhold/acme/${id}/`;
    const urlOf = (id: string) =>
      `s3://${id}/${prefixOf(id)}?region=${server.region}&endpoint=${encodeURIComponent(server.endpoint)}`;

    /** With one member's credentials and no others. */
    async function verify(id: string, ...args: string[]) {
      const before = { ...process.env };
      Object.assign(process.env, {
        ...{ AWS_ACCESS_KEY_ID: members[id]?.accessKeyId, AWS_SECRET_ACCESS_KEY: members[id]?.secretAccessKey },
      });
      try {
        return await runCli(
          [
            'verify',
            '--vault',
            urlOf(id),
            '--public-key',
            'public-key.pem',
            '--remember',
            `${id}.json`,
            ...args,
            '--json',
          ],
          { cwd },
        );
      } finally {
        process.env = before;
      }
    }

    test('is verified with the member’s own credentials, and by nobody else’s', async () => {
      const own = await verify('bank-a');
      expect(own.exit).toBe(0);
      expect(own.json()).toMatchObject({ code: 'PROVEN', remembered: { written: true }, heads: [{ seq: 3 }] });
      const foreign = await verify('bank-a', '--compare', urlOf('bank-b'));
      expect(foreign.exit).toBe(4);
      expect(foreign.json()).toMatchObject({ error: { name: 'VaultUnavailable' } });
    });

    test('is held against another’s memory, and against its manifests where they may be read', async () => {
      expect((await verify('bank-b')).exit).toBe(0);
      const byFile = await verify('bank-a', '--quick', '--compare', 'bank-b.json');
      expect(byFile.exit).toBe(1);
      await readableBy('bank-b', 'bank-a', 'chain/consortium/manifests/');
      const byUrl = await verify('bank-a', '--quick', '--compare', urlOf('bank-b'));
      for (const { json } of [byFile, byUrl]) expect(json()).toMatchObject({ findings: [{ code: 'HISTORY_FORKED' }] });
    });

    test('in which an object is removed, changed or taken back, is refused', async () => {
      await verify('bank-a');
      const client = s3Client({ ...server, ...(members['bank-a'] && { credentials: members['bank-a'] }) });
      const vault = s3Vault({ client, bucket: 'bank-a', prefix: prefixOf('bank-a') });
      const at = (key: string) => ({ Bucket: 'bank-a', Key: prefixOf('bank-a') + key });
      const damage = async (key: string, change: (bytes: Uint8Array) => Uint8Array | undefined, code: string) => {
        const bytes = (await vault.get(key)) ?? new Uint8Array();
        const Body = change(bytes);
        await client.send(
          Body === undefined ? new DeleteObjectCommand(at(key)) : new PutObjectCommand({ ...at(key), Body }),
        );
        const found = await verify('bank-a');
        expect([found.exit, JSON.stringify(found.json())]).toEqual([1, expect.stringContaining(`"${code}"`)]);
        await client.send(new PutObjectCommand({ ...at(key), Body: bytes }));
      };
      const file = 'chain/consortium/one-block-0-3.rlp';
      await damage(file, () => undefined, 'ARTIFACT_MISSING');
      await damage(file, (bytes) => bytes.map((byte, n) => (n === 9 ? byte ^ 1 : byte)), 'BYTES_CHANGED');
      await damage('chain/consortium/manifests/00000003.json', () => undefined, 'HISTORY_ROLLED_BACK');
      expect((await verify('bank-a')).exit).toBe(0);
      client.destroy();
    });

    /** Listed are names only; read are the objects under `prefix`. The owner must be named, too, on this server. */
    async function readableBy(id: string, reader: string, prefix: string) {
      const client = s3Client({ ...server, ...(members[id] && { credentials: members[id] }) });
      const bucket = `arn:aws:s3:::${id}`;
      const allow = (who: string, Action: string, Resource: string | string[]) => ({
        ...{ Effect: 'Allow', Principal: { AWS: [who] }, Action, Resource },
      });
      const Policy = JSON.stringify({
        Version: '2012-10-17',
        Statement: [
          allow(id, 's3:*', [bucket, `${bucket}/*`]),
          allow(reader, 's3:ListBucket', bucket),
          allow(reader, 's3:GetObject', `${bucket}/${prefixOf(id)}${prefix}*`),
        ],
      });
      await client.send(new PutBucketPolicyCommand({ Bucket: id, Policy }));
      client.destroy();
    }
  });
}
