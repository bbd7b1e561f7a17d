import { describe, expect, test } from '@jest/globals';
import { faultsOfClaim } from '../../core/bucket-names.ts';

const claim = { bucket: 'bank-a-ledger', region: 'eu-central-1', account: '111111111111' };
const names = (more: Partial<typeof claim> & { kmsKey?: string }) =>
  faultsOfClaim({ ...claim, ...more }).map(({ name }) => name);

describe('what a member says of its bucket', () => {
  test.each(['abc', 'bank-a-ledger', '1-bank', 'a'.repeat(63)])('%s can be the name of one', (bucket) => {
    expect(names({ bucket })).toEqual([]);
  });

  test.each([
    ...['', 'ab', 'a'.repeat(64), 'Bank-a', 'bank_a', '-bank', 'bank-', 'bank.a', '10.0.0.1', 'bank/a', 'bank a'],
    ...['xn--bank', 'sthree-bank', 'amzn-s3-demo-bank', 'bank-s3alias', 'bank--ol-s3', 'bank--x-s3', 'bank--table-s3'],
    ...['https://evil.example', 'bank@evil', 'arn:aws:s3:::bank-a', '../bank', 'bank-a\n', 'bänk'],
  ])('%j cannot', (bucket) => {
    expect(names({ bucket })).toContain('BAD_NAME');
  });

  test('a name of one account and Region must be of those that were registered', () => {
    const bucket = 'bank-111111111111-eu-central-1-an';
    expect(names({ bucket })).toEqual([]);
    expect(names({ bucket, account: '222222222222' })).toEqual(['NAME_LIES']);
    expect(names({ bucket, region: 'eu-west-1' })).toEqual(['NAME_LIES']);
    expect(names({ bucket: 'bank-an' })).toEqual(['NAME_LIES']);
  });

  test('a key is of the very account and Region, by its full ARN', () => {
    const arn = (account: string, region = 'eu-central-1', of = 'key/1234-abcd') => {
      return `arn:aws:kms:${region}:${account}:${of}`;
    };
    expect(names({ kmsKey: arn(claim.account) })).toEqual([]);
    for (const kmsKey of [
      ...[arn('222222222222'), arn(claim.account, 'eu-west-1'), arn(claim.account, undefined, 'alias/mine')],
      ...['1234-abcd', 'alias/aws/s3', ''],
    ]) {
      expect(names({ kmsKey })).toEqual(['ANOTHER_KEY']);
    }
  });
});
