import { describe, expect, test } from '@jest/globals';
import { UsageError } from '../../cli/usage-error.ts';
import { locationOf } from '../../cli/vaults.ts';

describe('the address of a vault', () => {
  test.each([
    ['./vault', { folder: '/work-dir/vault' }],
    ['/mnt/vault', { folder: '/mnt/vault' }],
    ['file:///mnt/my%20vault', { folder: '/mnt/my vault' }],
    ['s3://bucket', { s3: { bucket: 'bucket' } }],
    ['s3://bucket/a/b', { s3: { bucket: 'bucket', prefix: 'a/b' } }],
    ['s3://bucket/a?region=eu-central-1', { s3: { bucket: 'bucket', prefix: 'a', region: 'eu-central-1' } }],
    [
      's3://bucket/a?endpoint=http://127.0.0.1:7070',
      { s3: { bucket: 'bucket', prefix: 'a', endpoint: 'http://127.0.0.1:7070', pathStyle: true } },
    ],
  ])('%s', (text, location) => expect(locationOf(text, '/work-dir')).toEqual(location));

  test.each(['http://bucket/x', 's3://', 'file://host/x', 'gs://bucket'])('%s is refused', (text) => {
    expect(() => locationOf(text, '/work-dir')).toThrow(UsageError);
  });
});
