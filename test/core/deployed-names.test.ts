import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { ALARMS } from '../../core/alarms.ts';
import {
  alarmName,
  backupMachineName,
  chainMachineName,
  dashboardName,
  groupPart,
  identitiesSecretName,
  secondSnapshotsRoleName,
  secondVaultKeyAlias,
  secondVaultRoleName,
  snapshotCopyId,
  snapshotCopyPattern,
  snapshotId,
  snapshotKeeperRoleName,
  snapshotPrefix,
  stackName,
} from '../../core/deployed-names.ts';
import { ComponentName, Fence, NetworkName, NodeName, Slot } from '../../core/names.ts';
import { sha256 } from '../../io/digest.ts';

/** Of few words, those that names of ours are made of among them: so each is soon the beginning of another. */
const words = ['a', '1', '2', 'second', 'backup', 'chain', 'group2', 'vault'];
const name = (longest: number) =>
  fc
    .array(fc.constantFrom(...words), { minLength: 1, maxLength: 3 })
    .map((parts) => parts.join('-').slice(0, longest).replace(/-$/, ''));
const network = name(40).map((text) => NetworkName.parse(text));
const node = name(24).map((text) => NodeName.parse(text));
const component = name(24).map((text) => ComponentName.parse(text));
const group = fc.integer({ min: 1, max: 12 });

interface Called {
  readonly thing: string;
  readonly name: string;
}
const called = <T>(what: string, of: fc.Arbitrary<T>, nameOf: (thing: T) => string): fc.Arbitrary<Called> =>
  of.map((thing) => ({ thing: JSON.stringify([what, thing]), name: nameOf(thing) }));

/** Whatever two of these things are, if they are two they have two names. */
const haveNamesOfTheirOwn = (...things: fc.Arbitrary<Called>[]) =>
  fc.assert(
    fc.property(fc.array(fc.oneof(...things), { minLength: 300, maxLength: 400 }), (all) => {
      const named = new Map(all.map((each) => [each.name, each.thing]));
      const clashes = all.filter((each) => named.get(each.name) !== each.thing);
      expect(clashes.map((each) => [each.name, each.thing, named.get(each.name)])).toEqual([]);
    }),
  );

const pair = fc.tuple(network, node);

describe('two things that are deployed never have one name', () => {
  test('as stacks: of groups, of chains, of second vaults', () => {
    haveNamesOfTheirOwn(
      called('group', fc.tuple(network, group), ([of, n]) => stackName(of, { group: n })),
      called('chain', pair, ([of, chain]) => stackName(of, { chain })),
      called('second vault', network, (of) => stackName(of, 'Second')),
    );
  });

  test('as state machines: of groups and of chains', () => {
    haveNamesOfTheirOwn(
      called('group', fc.tuple(network, group), ([of, n]) => backupMachineName(of, n)),
      called('chain', pair, ([of, chain]) => chainMachineName(of, chain)),
    );
  });

  test('as alarms: of networks, groups, chains, nodes and components', () => {
    const alarm = fc.constantFrom('RUN_FAILED', 'PAGE');
    const suffix = fc.constantFrom([], ['1']);
    haveNamesOfTheirOwn(
      called('group', fc.tuple(network, group, alarm, suffix), ([of, n, which, more]) =>
        alarmName(of, ...groupPart(n), which, ...more),
      ),
      called('node', fc.tuple(network, node, alarm, suffix), ([of, each, which, more]) =>
        alarmName(of, each, which, ...more),
      ),
      called('component', fc.tuple(network, node, component, alarm), (parts) => alarmName(...parts)),
    );
  });

  test('as roles, which IAM does not tell apart by capital letters', () => {
    haveNamesOfTheirOwn(
      called('filler', network, (of) => secondVaultRoleName(of).toLowerCase()),
      called('teller', network, (of) => secondSnapshotsRoleName(of).toLowerCase()),
      called('keeper', network, (of) => snapshotKeeperRoleName(of).toLowerCase()),
    );
  });

  test('as keys, as dashboards and as secrets', () => {
    haveNamesOfTheirOwn(called('key', network, secondVaultKeyAlias));
    haveNamesOfTheirOwn(called('dashboard', network, dashboardName));
    haveNamesOfTheirOwn(called('secret', pair, (parts) => identitiesSecretName(...parts)));
  });

  test('as snapshots of attempts and as copies of them', () => {
    const slot = fc.constantFrom('2026-11-24T16:00:00Z', '1').map((text) => Slot.parse(text));
    const fence = fc.integer({ min: 1, max: 2 }).map((n) => Fence.parse(n));
    const digest = fc.constantFrom('a', 'b').map((text) => sha256(new TextEncoder().encode(text)));
    haveNamesOfTheirOwn(
      called('attempt', fc.record({ network, node, component, slot, fence }), (order) => snapshotId(order, sha256)),
      called('copy', fc.tuple(network, digest), (parts) => snapshotCopyId(...parts)),
    );
  });
});

describe('a grant over the snapshots', () => {
  const order = { component: ComponentName.parse('b'), slot: Slot.parse('s'), fence: Fence.parse(1) };

  test('of a network or a node holds for no other one', () => {
    fc.assert(
      fc.property(pair, pair, ([ofNetwork, ofNode], [otherNetwork, otherNode]) => {
        const theirs = snapshotId({ network: otherNetwork, node: otherNode, ...order }, sha256);
        expect(theirs.startsWith(snapshotPrefix(ofNetwork))).toBe(ofNetwork === otherNetwork);
        const same = ofNetwork === otherNetwork && ofNode === otherNode;
        expect(theirs.startsWith(snapshotPrefix(ofNetwork, ofNode))).toBe(same);
      }),
      { numRuns: 5_000 },
    );
  });

  test('over the copies of a network holds for those of no other one', () => {
    const digest = fc.constantFrom('2', 'second').map((text) => sha256(new TextEncoder().encode(text)));
    fc.assert(
      fc.property(network, network, digest, (one, other, reference) => {
        const pattern = new RegExp(`^${snapshotCopyPattern(one).replaceAll('?', '.')}$`);
        expect(pattern.test(snapshotCopyId(other, reference))).toBe(one === other);
      }),
      { numRuns: 5_000 },
    );
  });
});

test('the longest names of a config make names that each service takes', () => {
  const [longNetwork, longNode] = [NetworkName.parse('n'.repeat(40)), NodeName.parse('o'.repeat(24))];
  const longComponent = ComponentName.parse('c'.repeat(24));
  expect(stackName(longNetwork, { chain: longNode })).toMatch(/^[A-Za-z][A-Za-z0-9-]{0,127}$/);
  expect(stackName(longNetwork, { group: 1000 })).toMatch(/^[A-Za-z][A-Za-z0-9-]{0,127}$/);
  for (const machine of [backupMachineName(longNetwork, 1000), chainMachineName(longNetwork, longNode)])
    expect(machine).toMatch(/^[\w-]{1,80}$/);
  for (const role of [secondVaultRoleName, secondSnapshotsRoleName, snapshotKeeperRoleName])
    expect(role(longNetwork)).toMatch(/^[\w+=,.@-]{1,64}$/);
  for (const alarm of Object.keys(ALARMS))
    expect(alarmName(longNetwork, longNode, longComponent, alarm, 'ExecutionsTimedOut')).toMatch(/^[\w-]{1,255}$/);
  const order = { network: longNetwork, node: longNode, component: longComponent, slot: Slot.parse('s') };
  const attempt = snapshotId({ ...order, fence: Fence.parse(999_999) }, sha256);
  expect(attempt).toMatch(/^[a-z](?:-?[a-z0-9])*$/);
  expect(attempt.length).toBeLessThanOrEqual(255);
  expect(snapshotCopyId(longNetwork, 'f'.repeat(64))).toMatch(/^[a-z](?:-?[a-z0-9]){0,62}$/);
  expect(snapshotCopyId(longNetwork, 'f'.repeat(64)).length).toBeLessThanOrEqual(63);
});

test('a name of a config has no two hyphens in a row, which RDS would not take', () => {
  for (const schema of [NetworkName, NodeName, ComponentName]) {
    expect(schema.safeParse('a-b-1').success).toBe(true);
    for (const bad of ['a--b', 'a-', '-a', 'A', 'a_b', '']) expect(schema.safeParse(bad).success).toBe(false);
  }
});
