import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runSimulation } from '@cloud-copilot/iam-simulate';
import { describe, expect, test } from '@jest/globals';
import { outsideOf } from '../../aws/member-check.ts';
import { deliveryRoleArn } from '../../core/member-policy.ts';
import { memberPrefix } from '../../core/names.ts';

const page = readFileSync(join(import.meta.dirname, '../../docs/deliver.md'), 'utf8');
const policyCalled = (name: string) =>
  JSON.parse(new RegExp(`\`\`\`json ${name}\n(.*?)\n\`\`\``, 's').exec(page)?.[1] ?? 'null');

const US = '999999999999';
const ELSEWHERE = '888888888888';
const MEMBER = '111111111111';
const PREFIX = memberPrefix('acme', 'bank-a');
const S3 = { 'kms:ViaService': 's3.eu-west-1.amazonaws.com' };

/** The member, and the vault, let everything in: the rights of the page decide. */
async function allows(action: string, resource: string, owner: string): Promise<boolean> {
  const result = await runSimulation(
    {
      request: {
        ...{ principal: deliveryRoleArn({ network: 'acme', operatorAccount: US }), action },
        // Within one account the resource's own word would do: it is as if everything were another's.
        resource: { resource, accountId: ELSEWHERE },
        contextVariables: action.startsWith('s3:')
          ? { 'aws:SecureTransport': 'true', 's3:TlsVersion': '1.3', 's3:ResourceAccount': owner }
          : S3,
      },
      identityPolicies: [{ name: 'rights', policy: policyCalled('rights') }],
      ...{ serviceControlPolicies: [], resourceControlPolicies: [] },
      resourcePolicy: {
        Version: '2012-10-17',
        Statement: [{ Effect: 'Allow', Action: '*', Resource: '*', Principal: '*' }],
      },
    },
    {},
  );
  if (result.resultType === 'error') throw new Error(JSON.stringify(result.errors));
  return result.overallResult === 'Allowed';
}

const share = (key: string) => `arn:aws:s3:::any/${PREFIX}${key}`;

describe('the role that docs/deliver.md has an operator make', () => {
  test.each([
    ['s3:PutObject', share('chain/x'), MEMBER],
    ['s3:AbortMultipartUpload', share('chain/x'), MEMBER],
    ['s3:GetObject', share('chain/x'), MEMBER],
    ['s3:PutObject', `arn:aws:s3:::any/${outsideOf(PREFIX)}`, MEMBER],
    ['s3:DeleteObject', share('canary/x.txt'), MEMBER],
    ['kms:GenerateDataKey', `arn:aws:kms:eu-west-1:${MEMBER}:key/theirs`, MEMBER],
    ['kms:Decrypt', `arn:aws:kms:eu-west-1:${MEMBER}:key/theirs`, MEMBER],
    ['s3:GetObject', 'arn:aws:s3:::acme-vault/chain/x', US],
    ['s3:GetObject', 'arn:aws:s3:::acme-vault/keys/x.pem', US],
    ['s3:GetObject', 'arn:aws:s3:::acme-vault/format.json', US],
  ])('may %s %s', async (action, resource, owner) => {
    expect(await allows(action, resource, owner)).toBe(true);
  });

  test.each([
    ['s3:PutObject', share('chain/x'), '666666666666'],
    ['s3:PutObject', 'arn:aws:s3:::any/ledgerhold/other/bank-a/chain/x', MEMBER],
    ['s3:DeleteObject', share('chain/x'), MEMBER],
    ['s3:PutObject', 'arn:aws:s3:::acme-vault/chain/x', US],
    ['s3:GetObject', 'arn:aws:s3:::acme-vault/sets/x', US],
    ['kms:Decrypt', `arn:aws:kms:eu-west-1:${US}:key/ours`, US],
  ])('may not %s %s of %s', async (action, resource, owner) => {
    expect(await allows(action, resource, owner)).toBe(false);
  });

  test('trusts one principal, which is no whole account', () => {
    expect(policyCalled('trust').Statement).toEqual([
      { Effect: 'Allow', Principal: { AWS: expect.stringMatching(/:role\//) }, Action: 'sts:AssumeRole' },
    ]);
  });
});
