import { setTimeout } from 'node:timers/promises';
import { CreateBucketCommand, type S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { s3Client } from '../../aws/s3-client.ts';
import { s3Downloads } from '../../aws/s3-downloads.ts';
import { s3Vault } from '../../aws/s3-vault.ts';
import type { Downloads } from '../../core/ports.ts';
import { findVersitygw, startVersitygw, type Versitygw } from '../support/versitygw.ts';

const binary = findVersitygw();
const bucket = 'vault-under-test';
const KEY = 'chain/consortium/2026-11-01T00:00:00Z-block-0-100000.rlp.gz';
const OTHER = 'chain/consortium/2026-11-01T00:00:00Z-block-0-100000.rlp';

if (binary === undefined) {
  describe.skip('a URL on versitygw (not in the cache nor on PATH: run scripts/install-versitygw.sh)', () => {
    test('downloads one object', () => {});
  });
} else {
  describe('a URL to download by, on an S3 server that checks signatures', () => {
    let server: Versitygw;
    let client: S3Client;
    let downloads: Downloads;

    beforeAll(async () => {
      server = await startVersitygw(binary);
      client = s3Client(server);
      await client.send(new CreateBucketCommand({ Bucket: bucket }));
      const options = { client, bucket, prefix: 'acme', account: server.account };
      const vault = s3Vault(options);
      await vault.putOnce(KEY, Buffer.from('blocks'));
      await vault.putOnce(OTHER, Buffer.from('other blocks'));
      downloads = s3Downloads(options);
    }, 60_000);

    afterAll(async () => {
      client.destroy();
      await server.stop();
    });

    const get = async (url: string | URL, request: RequestInit = {}) => {
      const answer = await fetch(url, request);
      return { status: answer.status, text: await answer.text() };
    };

    test('gives the bytes to whoever has it, also a part of them, and needs no credentials', async () => {
      const url = await downloads.urlOf(KEY, 900);
      expect(await get(url)).toEqual({ status: 200, text: 'blocks' });
      expect(await get(url, { headers: { range: 'bytes=2-' } })).toEqual({ status: 206, text: 'ocks' });
    });

    test('gives no other object, for no longer, and lets nobody write or delete', async () => {
      const url = new URL(await downloads.urlOf(KEY, 900));
      const elsewhere = new URL(url);
      elsewhere.pathname = elsewhere.pathname.replace(/\.gz$/, '');
      const longer = new URL(url);
      longer.searchParams.set('X-Amz-Expires', '9000');
      const unsigned = new URL(url.pathname, url);
      const refused = [get(elsewhere), get(longer), get(unsigned)];
      for (const method of ['PUT', 'DELETE']) refused.push(get(url, { method }));
      expect((await Promise.all(refused)).map(({ status }) => status)).toEqual(Array(5).fill(403));
      expect(await get(url)).toMatchObject({ text: 'blocks' });
    });

    test('is over when it says', async () => {
      const url = await downloads.urlOf(KEY, 1);
      await setTimeout(2500);
      expect((await get(url)).status).toBe(403);
    });
  });
}
