import { beforeAll, describe, expect, test } from '@jest/globals';
import aslValidator from 'asl-validator';
import { App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { NetworkName } from '../../core/names.ts';
import { LedgerBackup } from '../../lib/ledger-backup.ts';
import { UNBUNDLED } from '../../lib/step-lambda.ts';
import { definitionOf } from '../../lib/workflows/definition.ts';
import { emitted } from '../support/workflows.ts';

interface Statement {
  readonly Effect: string;
  readonly Action: string | string[];
  readonly Resource: unknown;
  readonly Condition?: unknown;
}

let backup: LedgerBackup;
let template: Template;

beforeAll(() => {
  const stack = new Stack(new App({ context: { [UNBUNDLED]: true } }), 'Test');
  const about = { captures: {}, retention: { keepLast: 6, daily: 7 }, timeZone: 'Europe/Zurich' };
  backup = new LedgerBackup(stack, 'LedgerBackup', { network: NetworkName.parse('acme'), ...about });
  template = Template.fromStack(stack);
}, 60_000);

/** Step Functions sets up the delivery of its own logs: that is no data of ours. */
const DELETES = /^(?!logs:).*(Delete|Remove)/;

/** `[policy, statement]` of every role of the stack. */
const statements = (): [string, Statement][] =>
  Object.entries(template.findResources('AWS::IAM::Policy')).flatMap(([id, { Properties }]) =>
    (Properties.PolicyDocument.Statement as Statement[]).map((each): [string, Statement] => [id, each]),
  );

describe('retention', () => {
  test('is deployed as the build has written it, and valid to the validator of the language', () => {
    if (backup.retention === undefined) throw new Error('the first group has the retention');
    const { workflow, steps } = backup.retention;
    expect(definitionOf(workflow.stateMachine, steps.all)).toEqual(emitted('retention'));
    const text = JSON.stringify(emitted('retention'));
    const bound = JSON.parse(text.replaceAll(/\$\{(\w+)\}/g, 'arn:aws:lambda:eu-central-1:111111111111:function:$1'));
    expect(aslValidator(bound, { checkArn: true, checkPaths: true })).toMatchObject({ isValid: true });
  });

  test('has the only role of all that can delete anything', () => {
    const deleting = statements().filter(([, { Action }]) => [Action].flat().some((action) => DELETES.test(action)));
    expect(deleting.length).toBeGreaterThan(0);
    for (const [id] of deleting) expect(id).toContain('RetentionStepsRetainNodeRole');
  });

  test('deletes artifacts of its network, and snapshots with its name and tag', () => {
    const own = statements().flatMap(([id, each]) => (id.includes('RetainNodeRole') ? [each] : []));
    const about = (action: string) => own.filter(({ Action }) => [Action].flat().includes(action));
    expect(JSON.stringify(about('s3:DeleteObject').map(({ Resource }) => Resource))).toContain('/acme/sets/*/runs/*');
    expect(JSON.stringify(about('rds:DeleteDBSnapshot'))).toMatch(
      /:snapshot:ledgerhold-4-acme-\*.*:cluster-snapshot:ledgerhold-4-acme-\*/,
    );
    expect(about('rds:DeleteDBClusterSnapshot')).toMatchObject([
      { Condition: { StringEquals: { 'aws:ResourceTag/ledgerhold:network': 'acme' } } },
    ]);
  });

  test('cannot read what it deletes', () => {
    const reads = statements()
      .filter(([id, { Action }]) => id.includes('RetainNodeRole') && [Action].flat().includes('s3:GetObject'))
      .flatMap(([, { Resource }]) => [Resource].flat().map((each) => JSON.stringify(each)));
    expect(reads).toHaveLength(7);
    expect(reads.filter((arn) => arn.includes('/runs/'))).toEqual([]);
  });

  test('cannot delete a record: the bucket refuses it, whoever asks', () => {
    const [policy] = Object.values(template.findResources('AWS::S3::BucketPolicy')).flatMap(({ Properties }) =>
      Properties.PolicyDocument.Statement.filter(({ Sid }: { Sid?: string }) => Sid === 'RecordsStay'),
    );
    expect(policy).toMatchObject({ Effect: 'Deny', Principal: { AWS: '*' } });
    for (const kind of ['receipts', 'manifests', 'tombstones'])
      expect(JSON.stringify(policy.Resource)).toContain(`/acme/sets/*/${kind}/*`);
  });

  test('knows the policy and nothing of any node', () => {
    template.hasResourceProperties('AWS::Lambda::Function', {
      Environment: {
        Variables: { RETENTION: '{"keep":{"keepLast":6,"daily":7},"timeZone":"Europe/Zurich"}', NETWORK: 'acme' },
      },
    });
  });

  test('hides for a month what it removes, and then ends it', () => {
    template.hasResourceProperties('AWS::S3::Bucket', {
      LifecycleConfiguration: { Rules: [{ NoncurrentVersionExpiration: { NoncurrentDays: 30 }, Status: 'Enabled' }] },
    });
  });
});
