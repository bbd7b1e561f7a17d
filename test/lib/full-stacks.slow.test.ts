import { expect, test } from '@jest/globals';
import { App } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { nodeGroups } from '../../config/node-groups.ts';
import { Config } from '../../config/schema.ts';
import { backupStacks } from '../../lib/backup-stacks.ts';
import { UNBUNDLED } from '../../lib/step-lambda.ts';

/** That CloudFormation takes in one stack. */
const RESOURCES = 500;

function network(nodes: number, components: number) {
  const others = Array.from({ length: components - 1 }, (_, n) => [`m${n}`, { role: 'mediator', rds: `m${n}` }]);
  const own = { participant: { rds: 'p' }, ...Object.fromEntries(others) };
  const parts = { network: 'acme', vault: { folder: 'v' }, encryption: 'none', signing: { kms: 'k' } };
  const all = Array.from({ length: nodes }, (_, n) => ({ name: `node-${n}`, protocol: 'canton', components: own }));
  return Config.parse({ ...parts, nodes: all });
}

// How 1,000 nodes are packed is tested beside the packing; what a full group becomes depends on its components only.
test.each([
  ['many small nodes', 60, 1],
  ['nodes of 4 components', 50, 4],
  ['the largest nodes', 10, 31],
])(
  'stacks full of %s have at most 500 resources, the first of them and the others',
  (_, count, components) => {
    const config = network(count, components);
    const stacks = backupStacks(new App({ context: { [UNBUNDLED]: true } }), config);
    expect(stacks.length).toBeGreaterThan(1);
    expect(stacks.length).toBe(nodeGroups(config).length);
    const resources = stacks.map((stack) => Object.keys(Template.fromStack(stack).toJSON()['Resources']).length);
    process.stdout.write(`resources of the stacks: ${resources.join(', ')}\n`);
    for (const each of resources) expect(each).toBeLessThanOrEqual(RESOURCES);
  },
  240_000,
);
