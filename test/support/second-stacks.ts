import { App } from 'aws-cdk-lib';
import type { Template } from 'aws-cdk-lib/assertions';
import { Config } from '../../config/schema.ts';
import { backupStacks } from '../../lib/backup-stacks.ts';
import { secondVaultStack } from '../../lib/second-vault-stack.ts';
import { UNBUNDLED } from '../../lib/step-lambda.ts';

export const S3 = { bucket: 'acme-second', region: 'eu-west-1', account: '222222222222' };
export const ROLE = 'arn:aws:iam::111111111111:role/ledgerhold-acme_SecondVault';
export const COPIER = 'arn:aws:iam::111111111111:role/ledgerhold-acme_SecondRds';
export const KEEPER = 'arn:aws:iam::222222222222:role/ledgerhold-acme_RdsKeeper';

export interface Statement {
  readonly Sid?: string;
  readonly Effect: string;
  readonly Principal: unknown;
  readonly Action: string | readonly string[];
  readonly Resource: unknown;
  readonly Condition?: unknown;
}

export const NODE = {
  name: 'one',
  protocol: 'canton',
  components: { participant: { rds: 'p' }, mediator: { rds: 'm' } },
};
/** In a private network of its own, and so in a group of its own. */
export const APART = {
  ...{ ...NODE, name: 'two', components: { participant: { rds: 'p2' }, mediator: { rds: 'm2' } } },
  vpc: { id: 'vpc-0a1b2c3d', subnets: ['subnet-0a1b2c3d'], securityGroups: ['sg-0a1b2c3d'] },
};
export const PARTS = {
  ...{ network: 'acme', vault: { folder: 'v' }, encryption: 'none', signing: { kms: 'k' }, nodes: [NODE] },
  aws: { account: '111111111111', region: 'eu-central-1' },
};

export function deployed(s3: object | null = S3) {
  const config = Config.parse({
    ...PARTS,
    ...(s3 && { secondVault: { s3 } }),
  });
  const app = new App({ context: { [UNBUNDLED]: true } });
  const [main] = backupStacks(app, config);
  const second = secondVaultStack(app, config);
  if (main === undefined) throw new Error('a config has a stack');
  return { app, main, second };
}

/** Without the `Fn::Join`s: what CloudFormation would make of it, with references in angle brackets. */
export function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value);
  const [[name, inside] = ['', undefined]] = entries;
  if (name === 'Fn::Join') return (inside as [string, unknown[]])[1].map(plain).join('');
  if (name === 'Ref') return inside === 'AWS::Partition' ? 'aws' : `<${String(inside)}>`;
  if (name === 'Fn::GetAtt') return `<${(inside as string[])[0]?.replace(/[0-9A-F]{8}$/, '')}>`;
  return Object.fromEntries(entries.map(([key, each]) => [key, plain(each)]));
}

export const statementsOf = (template: Template, type: string, of: RegExp): Statement[] =>
  Object.entries(template.findResources(type))
    .filter(([id]) => of.test(id))
    .flatMap(([, { Properties }]) => (Properties.PolicyDocument ?? Properties.KeyPolicy).Statement)
    .map((each) => plain(each) as Statement);

export const actions = (statements: readonly Statement[]) => statements.flatMap(({ Action }) => Action).toSorted();
