import { expect, test } from '@jest/globals';
import { App } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { Config } from '../../config/schema.ts';
import { backupStacks } from '../../lib/backup-stacks.ts';
import { UNBUNDLED } from '../../lib/step-lambda.ts';

test('1,000 nodes make stacks that keep 150 of the 500 resources for what watches, and no node is left out', () => {
  const components = { participant: { rds: 'participant-of-some-node' }, mediator: { rds: 'mediator-of-some-node' } };
  const nodes = Array.from({ length: 1000 }, (_, n) => ({ name: `node-${n}`, protocol: 'canton', components }));
  const parts = { network: 'acme', vault: { folder: 'v' }, encryption: 'none', signing: { kms: 'k' } };
  const app = new App({ context: { [UNBUNDLED]: true } });
  const templates = backupStacks(app, Config.parse({ ...parts, nodes })).map((stack) => Template.fromStack(stack));
  const schedules = templates.flatMap((template) => Object.keys(template.findResources('AWS::Scheduler::Schedule')));
  expect(schedules).toHaveLength(1000);
  for (const template of templates) {
    expect(Object.keys(template.toJSON()['Resources']).length).toBeLessThanOrEqual(350);
  }
}, 240_000);
