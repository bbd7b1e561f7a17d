import { createHash } from 'node:crypto';
import { CreateBucketCommand } from '@aws-sdk/client-s3';
import { expect, test } from '@jest/globals';
import { s3Client } from '../../aws/s3-client.ts';
import { s3LargeCopy } from '../../aws/s3-large-copy.ts';
import { s3Vault } from '../../aws/s3-vault.ts';
import { KeyTaken } from '../../core/vault.ts';
import { findVersitygw, startVersitygw } from '../support/versitygw.ts';

const binary = findVersitygw();
const never = new AbortController().signal;

/** 12 MB, each chunk another. */
async function* large(): AsyncGenerator<Uint8Array> {
  for (let chunk = 0; chunk < 120; chunk += 1) yield Buffer.alloc(100_000, chunk);
}

async function digestOf(bytes: AsyncIterable<Uint8Array>): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of bytes) hash.update(chunk);
  return hash.digest('hex');
}

const run = binary === undefined ? test.skip : test;

run('versitygw copies from bucket to bucket in parts, once, and nothing that is not what was cited', async () => {
  const server = await startVersitygw(binary ?? '');
  const client = s3Client(server);
  try {
    for (const Bucket of ['first', 'second']) await client.send(new CreateBucketCommand({ Bucket }));
    const common = { client, account: server.account };
    const from = { ...common, bucket: 'first', prefix: 'acme' };
    const to = { ...common, bucket: 'second' };
    // In one request: of a source with a CRC-32 of its own this server takes that for the checksum of each range of it.
    const { sha256, size } = await s3Vault(from).writeOnce('a/large', large());
    const copier = s3LargeCopy(from, to, 5 * 1024 * 1024);
    expect(await copier.copy('a/large', '0'.repeat(64), never)).toBeUndefined();
    expect(await s3Vault(to).stat('a/large')).toBeUndefined();
    expect(await copier.copy('a/large', sha256, never)).toBe(size);
    expect(await digestOf(s3Vault(to).read('a/large'))).toBe(sha256);
    await expect(copier.copy('a/large', sha256, never)).rejects.toBeInstanceOf(KeyTaken);
  } finally {
    client.destroy();
    await server.stop();
  }
});
