import { describe, expect, test } from '@jest/globals';
import { nodeGroups } from '../../config/node-groups.ts';
import { Config } from '../../config/schema.ts';
import { CAPTURES_LIMIT, captureBytes } from '../../core/capture-sources.ts';

const vpc = (digit: string) => ({
  id: `vpc-${digit.repeat(8)}`,
  subnets: [`subnet-${digit.repeat(8)}`],
  securityGroups: [`sg-${digit.repeat(8)}`],
});

function node(name: string, place?: ReturnType<typeof vpc>, count = 3) {
  const others = Array.from({ length: count - 1 }, (_, n) => [
    `mediator-${n}`,
    { role: 'mediator', rds: `${name}-m${n}` },
  ]);
  return {
    ...{ name, protocol: 'canton', ...(place && { vpc: place }) },
    components: { participant: { rds: `${name}-participant` }, ...Object.fromEntries(others) },
  };
}

const config = (nodes: readonly object[]) =>
  Config.parse({ network: 'acme', vault: { folder: 'v' }, encryption: 'none', signing: { kms: 'k' }, nodes });
const named = (nodes: readonly object[]) =>
  nodeGroups(config(nodes)).map((group) => group.nodes.map(({ run }) => run.node));

describe('groups of nodes', () => {
  test('are one for a small network', () => {
    expect(named([node('a'), node('b')])).toEqual([['a', 'b']]);
  });

  test('hold nodes of one private network only', () => {
    const nodes = [node('a'), node('b', vpc('1')), node('c', vpc('2')), node('d', vpc('1')), node('e')];
    expect(named(nodes)).toEqual([['a', 'e'], ['b', 'd'], ['c']]);
    expect(nodeGroups(config(nodes)).map((group) => group.vpc?.id)).toEqual([
      undefined,
      'vpc-11111111',
      'vpc-22222222',
    ]);
  });

  test('fit a Lambda and a stack, and stay as they are when a node comes at the end', () => {
    const nodes = Array.from({ length: 1000 }, (_, n) =>
      node(`node-${n}`, n % 7 === 0 ? vpc('1') : undefined, (n % 30) + 1),
    );
    const before = named(nodes.slice(0, -1));
    const after = named(nodes);
    for (const [index, names] of before.entries()) expect(after[index]?.slice(0, names.length)).toEqual(names);
    expect(after.flat().toSorted()).toEqual(nodes.map(({ name }) => name).toSorted());
    for (const { captures, nodes: own } of nodeGroups(config(nodes))) {
      expect(captureBytes(captures)).toBeLessThanOrEqual(CAPTURES_LIMIT);
      expect(Object.keys(captures)).toEqual(own.map(({ run }) => run.node));
    }
  });
});
