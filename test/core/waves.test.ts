import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  CyclicOrder,
  type Ordering,
  type Placed,
  ReplicaSource,
  SharedSource,
  type SourceIdentity,
  UnknownComponent,
  waves,
} from '../../core/waves.ts';

const ordering = (...edges: [string, string][]): Ordering => ({
  roles: Object.fromEntries(['app', 'participant', 'mediator', 'sequencer'].map((role) => [role, {}])),
  order: edges,
});
const placed = (role: string, source?: SourceIdentity, component = role): Placed => ({
  ...{ component, role },
  ...(source === undefined ? {} : { source }),
});
const components = (...roles: string[]): Placed[] => roles.map((role) => placed(role));

describe('waves', () => {
  test('puts what nothing orders side by side, in the order of the config', () => {
    expect(waves(components('mediator', 'app'), ordering()).waves).toEqual([['mediator', 'app']]);
  });

  test('orders through a role that no component plays', () => {
    const plan = waves(components('sequencer', 'app'), ordering(['app', 'participant'], ['participant', 'sequencer']));
    expect(plan.waves).toEqual([['app'], ['sequencer']]);
    expect(plan.predecessors).toEqual({ sequencer: ['app'], app: [] });
    expect(plan.order).toEqual([['app', 'sequencer']]);
  });

  test('makes every component of a role wait for every one of the role before', () => {
    const given = [placed('app', undefined, 'wallet'), placed('app', undefined, 'scan'), placed('participant')];
    const plan = waves(given, { ...ordering(['app', 'participant']), orderReason: 'apps read from it' });
    expect(plan.waves).toEqual([['wallet', 'scan'], ['participant']]);
    expect(plan.reasons['participant']).toBe('after wallet, scan: apps read from it');
    expect(plan.reasons['scan']).toBe('nothing has to be captured before it');
  });

  test('names a cycle from its start to its start', () => {
    const order = ordering(['app', 'participant'], ['participant', 'mediator'], ['mediator', 'app']);
    expect(() => waves(components('app'), order)).toThrow(new CyclicOrder(['app', 'participant', 'mediator', 'app']));
    expect(() => waves(components('app'), ordering(['app', 'app']))).toThrow('app → app');
  });

  test('refuses a cycle of roles that no component plays', () => {
    const order = ordering(['mediator', 'sequencer'], ['sequencer', 'mediator']);
    expect(() => waves(components('app'), order)).toThrow(CyclicOrder);
  });

  test('names an unknown role and the nearest one that exists', () => {
    const misspelt = () => waves([placed('particpant')], ordering());
    expect(misspelt).toThrow(UnknownComponent);
    expect(misspelt).toThrow(expect.objectContaining({ remedy: 'Did you mean "participant"?' }));
    expect(() => waves([], ordering(['app', 'wallet']))).toThrow('the order names the role "wallet"');
  });

  test('does not take what every object has for a role', () => {
    expect(() => waves([placed('constructor')], ordering())).toThrow(UnknownComponent);
  });
});

describe('sources', () => {
  const order = ordering(['app', 'participant']);
  const database = (name: string): SourceIdentity => ({ kind: 'database', server: 'db:5432', database: name });
  const instance = (name: string, replica = false): SourceIdentity => ({ kind: 'instance', instance: name, replica });

  test('two databases of one server, one dump after the other, are fine', () => {
    const given = [placed('participant', database('participant')), placed('app', database('validator'))];
    expect(waves(given, order).waves).toEqual([['app'], ['participant']]);
  });

  test('one database given for two components is refused, in order or not', () => {
    for (const role of ['participant', 'mediator']) {
      const given = [placed('app', database('validator')), placed(role, database('validator'))];
      expect(() => waves(given, order)).toThrow(`app and ${role} are one and the same database: validator on db:5432`);
    }
  });

  test('two ordered components in one whole-instance snapshot are refused, from either side', () => {
    const given = [placed('participant', instance('prod')), placed('app', instance('prod'))];
    expect(() => waves(given, order)).toThrow(SharedSource);
    expect(() => waves(given.toReversed(), order)).toThrow('lie on one instance, prod');
  });

  test('components that nothing orders may share an instance', () => {
    const given = [placed('participant', instance('prod')), placed('mediator', instance('prod'))];
    expect(waves(given, order).waves).toEqual([['participant', 'mediator']]);
  });

  test('a read replica is refused', () => {
    expect(() => waves([placed('app', instance('prod-ro', true))], order)).toThrow(ReplicaSource);
  });

  test('a component listed twice is refused', () => {
    expect(() => waves(components('app', 'app'), order)).toThrow('app is listed twice');
  });
});

describe('laws, for every graph', () => {
  const size = 9;
  const names = Array.from({ length: size }, (_, i) => `r${i}`);
  const roles = Object.fromEntries(names.map((name) => [name, {}]));
  const pair = fc.tuple(fc.nat(size - 1), fc.nat(size - 1));
  /** Edges that all point upwards in some shuffled numbering of the roles: no cycle, and no telling name. */
  const dag = fc
    .tuple(
      fc.shuffledSubarray(names, { minLength: size }),
      fc.array(
        pair.filter(([a, b]) => a !== b),
        { maxLength: 16 },
      ),
    )
    .map(([named, pairs]) =>
      pairs.map(([a, b]): [string, string] => [named[Math.min(a, b)] ?? '', named[Math.max(a, b)] ?? '']),
    );
  const playing = fc
    .array(fc.constantFrom(...names), { maxLength: 14 })
    .map((list) => list.map((role, i): Placed => ({ component: `c${i}`, role })));
  const reaches = (order: readonly [string, string][], from: string, to: string): boolean =>
    order.some(([before, after]) => before === from && (after === to || reaches(order, after, to)));

  test('every component is in exactly one wave, after all of its predecessors and before none', () => {
    fc.assert(
      fc.property(dag, playing, (order, given) => {
        const plan = waves(given, { roles, order });
        const waveOf = new Map(plan.waves.flatMap((wave, i) => wave.map((component) => [component, i] as const)));
        expect(plan.waves.flat().toSorted()).toEqual(given.map(({ component }) => component).toSorted());
        for (const a of given) {
          for (const b of given) {
            const before = reaches(order, a.role, b.role);
            expect(plan.predecessors[b.component]?.includes(a.component)).toBe(before);
            if (before) expect(waveOf.get(a.component)).toBeLessThan(waveOf.get(b.component) ?? -1);
          }
        }
      }),
    );
  });

  test('there are as few waves as the longest chain has links', () => {
    fc.assert(
      fc.property(dag, playing, (order, given) => {
        const plan = waves(given, { roles, order });
        const chain = (name: string): number =>
          1 + Math.max(0, ...(plan.predecessors[name] ?? []).map((earlier) => chain(earlier)));
        expect(plan.waves.length).toBe(Math.max(0, ...given.map(({ component }) => chain(component))));
      }),
    );
  });

  test('the plan does not depend on how the order is written down', () => {
    const rewritten = dag.chain((order) =>
      fc.tuple(fc.constant(order), fc.shuffledSubarray([...order, ...order], { minLength: order.length * 2 })),
    );
    fc.assert(
      fc.property(rewritten, playing, ([order, shuffled], given) => {
        expect(waves(given, { roles, order: shuffled })).toEqual(waves(given, { roles, order }));
      }),
    );
  });

  test('a cycle is refused and named, wherever it is', () => {
    const cyclic = fc
      .tuple(dag, fc.shuffledSubarray(names, { minLength: 1 }))
      .map(([order, ring]) => [
        ...order,
        ...ring.map((a, i): [string, string] => [a, ring[(i + 1) % ring.length] ?? '']),
      ]);
    fc.assert(
      fc.property(cyclic, playing, (order, given) => {
        const cycle = cycleNamedBy(() => waves(given, { roles, order }));
        expect(cycle.length).toBeGreaterThan(1);
        expect(cycle.at(0)).toBe(cycle.at(-1));
        for (const [i, after] of cycle.slice(1).entries()) expect(order).toContainEqual([cycle[i], after]);
      }),
    );
  });
});

function cycleNamedBy(act: () => unknown): string[] {
  try {
    act();
  } catch (error) {
    if (error instanceof CyclicOrder) return error.message.replace('the order has a cycle: ', '').split(' → ');
    throw error;
  }
  return [];
}
