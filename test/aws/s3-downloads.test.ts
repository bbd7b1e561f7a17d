import { describe, expect, test } from '@jest/globals';
import { s3Client } from '../../aws/s3-client.ts';
import { s3Downloads } from '../../aws/s3-downloads.ts';
import { InvalidKey } from '../../vault/keys.ts';

describe('a URL to download an object of the vault by', () => {
  const credentials = { accessKeyId: 'ASIAEXAMPLE', secretAccessKey: 'secret', sessionToken: 'session' };
  const downloads = s3Downloads({
    client: s3Client({ region: 'eu-central-1', credentials }),
    ...{ bucket: 'acme-vault', prefix: 'acme', account: '111111111111' },
  });

  test('is of that object alone, signed with version 4 as a key of KMS wants it, for so long, and names the bucket’s owner', async () => {
    const key = 'chain/consortium/2026-11-01T00:00:00Z-block-0-100000.rlp.gz';
    const { protocol, host, pathname, searchParams } = new URL(await downloads.urlOf(key, 900));
    expect({ protocol, host }).toEqual({ protocol: 'https:', host: 'acme-vault.s3.eu-central-1.amazonaws.com' });
    expect(decodeURIComponent(pathname)).toBe(`/acme/${key}`);
    expect(Object.fromEntries(searchParams)).toMatchObject({
      ...{ 'X-Amz-Algorithm': 'AWS4-HMAC-SHA256', 'X-Amz-Expires': '900', 'X-Amz-Security-Token': 'session' },
      // Held to by S3 in lower-case letters only (aws/aws-sdk-go-v2#2508).
      'x-amz-expected-bucket-owner': '111111111111',
      // No header but the host has to be sent beside it.
      'X-Amz-SignedHeaders': 'host',
    });
  });

  test('leads nowhere out of the network’s part of the bucket', () => {
    expect(() => downloads.urlOf('../acme-2/chain/a.rlp', 900)).toThrow(InvalidKey);
  });
});
