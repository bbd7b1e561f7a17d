import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { App, Stack, Validations } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { AwsSolutionsChecks } from 'cdk-nag';
import { MemberBucketSpec, memberCloudFormation } from '../../core/member-template.ts';
import { MemberBucket, type MemberBucketProps } from '../../lib/member-bucket.ts';
import { BUCKET, KEY, OPERATOR } from '../support/member-iam.ts';
import { resourcesByType } from '../support/member-templates.ts';

const folder = mkdtempSync(join(tmpdir(), 'ledgerhold-member-'));
afterAll(() => rmSync(folder, { recursive: true }));

const plain: MemberBucketProps = { network: 'acme', member: 'bank-c', operatorAccount: OPERATOR };
const VARIANTS: readonly (readonly [string, MemberBucketProps])[] = [
  ['nothing asked for', plain],
  ['a new key, a lock and reads', { ...plain, key: 'new', lock: { mode: 'COMPLIANCE', days: 365 }, reads: true }],
  ['a key that there is', { ...plain, key: KEY, lock: { mode: 'GOVERNANCE', days: 1 } }],
  ['a name of its own', { ...plain, bucket: 'bank-c-ledger' }],
  ['an account-regional name of its own', { ...plain, bucket: BUCKET.replace('ledgerhold', 'mine') }],
];

/** Principals, actions and resources may stand alone or in a list, and statements in any order of their parts. */
function plainly(value: unknown): unknown {
  if (Array.isArray(value)) return value.length === 1 ? plainly(value[0]) : value.map(plainly);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, plainly(each)]));
}
const resources = (template: unknown) => plainly(resourcesByType(template as Parameters<typeof resourcesByType>[0]));

describe('a member’s bucket', () => {
  test.each(VARIANTS)('is by the construct what it is by the template, with %s', (_what, props) => {
    const stack = new Stack(new App(), 'Member');
    new MemberBucket(stack, 'Destination', props);
    const printed = resources(memberCloudFormation(MemberBucketSpec.parse(props)));
    expect(resources(Template.fromStack(stack).toJSON())).toEqual(printed);
  });

  test('is kept, closed and versioned', () => {
    expect(resources(memberCloudFormation(MemberBucketSpec.parse(plain)))).toMatchObject({
      'AWS::S3::Bucket': {
        ...{ DeletionPolicy: 'Retain', UpdateReplacePolicy: 'Retain' },
        Properties: {
          BucketNamePrefix: 'ledgerhold-acme-bank-c',
          VersioningConfiguration: { Status: 'Enabled' },
          OwnershipControls: { Rules: { ObjectOwnership: 'BucketOwnerEnforced' } },
        },
      },
    });
  });

  test('has a name that is short enough, whatever network and member are called', () => {
    const long = { ...plain, network: 'n'.repeat(40), member: 'm'.repeat(40) };
    const [, prefix] =
      /"BucketNamePrefix":"(.*?)"/.exec(JSON.stringify(memberCloudFormation(MemberBucketSpec.parse(long)))) ?? [];
    expect(prefix).toHaveLength(32);
    expect(`${prefix}-111111111111-ap-northeast-1-an`.length).toBeLessThanOrEqual(63);
    // A cut right behind a hyphen would leave two.
    const cut = MemberBucketSpec.parse({ ...plain, network: 'n'.repeat(20), member: 'bank' });
    expect(JSON.stringify(memberCloudFormation(cut))).toContain(`"ledgerhold-${'n'.repeat(20)}"`);
  });

  test('gives what the policy of a key that there is has to have', () => {
    const { keyStatement } = new MemberBucket(new Stack(), 'Destination', { ...plain, key: KEY });
    expect(keyStatement.toStatementJson()).toMatchObject({ Action: ['kms:GenerateDataKey', 'kms:Decrypt'] });
  });

  test('refuses what is not well formed', () => {
    expect(() => new MemberBucket(new Stack(), 'A', { ...plain, operatorAccount: '1111' })).toThrow('12 digits');
    expect(() => new MemberBucket(new Stack(), 'B', { ...plain, member: 'bank*' })).toThrow();
    expect(() => new MemberBucket(new Stack(), 'C', { ...plain, key: 'alias/mine' })).toThrow('full ARN');
  });

  test.each(VARIANTS)('satisfies cdk-nag with %s', (_what, props) => {
    expect(synth((stack) => new MemberBucket(stack, 'Destination', props))).not.toThrow();
  });

  test('would not satisfy cdk-nag without what is said here', () => {
    expect(synth((stack) => new Bucket(stack, 'Destination'))).toThrow('AwsSolutions-S10');
  });
});

function synth(fill: (stack: Stack) => void): () => void {
  const app = new App({ outdir: mkdtempSync(join(folder, 'nag-')) });
  fill(new Stack(app, 'Member'));
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  return () => app.synth();
}
