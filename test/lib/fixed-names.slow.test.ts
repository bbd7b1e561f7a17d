import { expect, test } from '@jest/globals';
import { App } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { Config } from '../../config/schema.ts';
import { backupStacks } from '../../lib/backup-stacks.ts';
import { secondVaultStack } from '../../lib/second-vault-stack.ts';
import { UNBUNDLED } from '../../lib/step-lambda.ts';
import { APART, NODE, PARTS, S3 } from '../support/second-stacks.ts';

const chain = (name: string) => ({
  ...{ name, protocol: 'ethereum', client: 'besu', enabled: true, timesADay: 4 },
  monitor: { rpc: 'https://rpc.example.com' },
  validators: [{ name: 'bank-a', rpc: 'https://rpc.example.com' }],
});

const FIXED = ['StateMachineName', 'AlarmName', 'RoleName', 'AliasName', 'DashboardName', 'FunctionName', 'Name'];

/** Of all stacks of a network: what they and their resources are called, where that is not left to CloudFormation. */
function namesOf(network: string, nodes: readonly object[]): string[] {
  const config = Config.parse({ ...PARTS, network, nodes, secondVault: { s3: S3 } });
  const app = new App({ context: { [UNBUNDLED]: true } });
  const second = secondVaultStack(app, config);
  return [...backupStacks(app, config), ...(second ? [second] : [])].flatMap((stack) => {
    const resources = Object.values<{ Type: string; Properties?: Record<string, unknown> }>(
      Template.fromStack(stack).toJSON()['Resources'],
    );
    const names = resources.flatMap(({ Type, Properties = {} }) =>
      FIXED.map((key) => Properties[key]).flatMap((name) => (typeof name === 'string' ? [`${Type} ${name}`] : [])),
    );
    return [`Stack ${stack.stackName}`, ...names];
  });
}

test('networks and nodes whose names begin like others share an account, with no name in it twice', () => {
  const chains = ['b', 'second', '2', 'backup', 'group2'].map(chain);
  const names = [
    ...namesOf('acme', [NODE, APART, ...chains]),
    ...['acme-2', 'acme-b', 'acme-second', 'acme-chain-b'].flatMap((network) => namesOf(network, [NODE, chain('b')])),
  ];
  for (const kind of ['Stack', 'AWS::StepFunctions::StateMachine', 'AWS::CloudWatch::Alarm', 'AWS::IAM::Role'])
    expect(names.filter((each) => each.startsWith(`${kind} `)).length).toBeGreaterThan(5);
  expect(names.filter((each, at) => names.indexOf(each) !== at)).toEqual([]);
}, 120_000);
