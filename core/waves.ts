import { LedgerholdError } from './errors.ts';
import { suggestion } from './nearest.ts';

/** Where a component's state lies, as far as the order of captures depends on it. */
export type SourceIdentity =
  /** Dumped on its own: any number of databases of one server may be captured, one after the other. */
  | { readonly kind: 'database'; readonly server: string; readonly database: string }
  /** Captured as a whole, everything on it in the same moment: an RDS instance or cluster. */
  | { readonly kind: 'instance'; readonly instance: string; readonly replica?: boolean }
  | { readonly kind: 'other'; readonly at: string };

/** A component to be captured. A run knows names and roles only; a config knows the sources too. */
export interface Placed<Name extends string = string> {
  readonly component: Name;
  readonly role: string;
  readonly source?: SourceIdentity;
}

/** What a protocol says about order. Every role has a key; `order` holds [before, after] pairs of roles. */
export interface Ordering {
  readonly roles: Readonly<Record<string, unknown>>;
  readonly order: readonly (readonly [before: string, after: string])[];
  readonly orderReason?: string;
}

export interface WavePlan<Name extends string = string> {
  /** Every capture of a wave has ended before any of the next starts. Inside a wave, the order of the config. */
  readonly waves: readonly (readonly Name[])[];
  /** By component: all that must have ended before it starts, also through roles that no component plays. */
  readonly predecessors: Readonly<Record<Name, readonly Name[]>>;
  /** The same as pairs [before, after]. */
  readonly order: readonly (readonly [before: Name, after: Name])[];
  /** By component: why it is in its wave, one line. */
  readonly reasons: Readonly<Record<Name, string>>;
}

/**
 * Sorts components into the fewest waves that the protocol's order permits. Throws `UnknownComponent`, `CyclicOrder`,
 * `SharedSource` or `ReplicaSource`, and makes no call: a bad order is refused before anything has been touched.
 */
export function waves<Name extends string>(components: readonly Placed<Name>[], protocol: Ordering): WavePlan<Name> {
  refuseUnknownRoles(components, protocol);
  const earlierRoles = rolesBefore(protocol);
  const playing = (roles: ReadonlySet<string> = new Set()) =>
    components.filter(({ role }) => roles.has(role)).map(({ component }) => component);
  const predecessors = new Map(components.map(({ component, role }) => [component, playing(earlierRoles.get(role))]));
  refuseUnfitSources(components, predecessors);
  return {
    waves: layers(predecessors),
    predecessors: byName(predecessors, (earlier) => earlier),
    order: [...predecessors].flatMap(([component, earlier]) => earlier.map((each) => [each, component] as const)),
    reasons: byName(predecessors, (earlier) => reason(earlier, protocol)),
  };
}

const byName = <Name extends string, T, U>(map: ReadonlyMap<Name, T>, to: (value: T) => U) =>
  Object.fromEntries([...map].map(([name, value]) => [name, to(value)])) as Record<Name, U>;

/** Kahn's algorithm, a layer at a time: whoever waits for nobody still waiting goes next. */
function layers<T>(predecessors: ReadonlyMap<T, readonly T[]>): T[][] {
  const done: T[][] = [];
  for (let waiting = [...predecessors.keys()]; waiting.length > 0; ) {
    const still = new Set(waiting);
    const ready = waiting.filter((each) => !predecessors.get(each)?.some((earlier) => still.has(earlier)));
    done.push(ready);
    waiting = waiting.filter((each) => !ready.includes(each));
  }
  return done;
}

/** By role: all roles before it, transitively. Throws `CyclicOrder` where a role comes before itself. */
function rolesBefore({ order }: Ordering): ReadonlyMap<string, ReadonlySet<string>> {
  const found = new Map<string, Set<string>>();
  const visit = (role: string, later: readonly string[]): ReadonlySet<string> => {
    const again = later.indexOf(role);
    if (again !== -1) throw new CyclicOrder([role, ...later.slice(again).reverse()]);
    const known = found.get(role);
    if (known !== undefined) return known;
    const direct = order.filter(([, after]) => after === role).map(([before]) => before);
    const all = new Set(direct.flatMap((earlier) => [earlier, ...visit(earlier, [...later, role])]));
    found.set(role, all);
    return all;
  };
  for (const role of new Set(order.flat())) visit(role, []);
  return found;
}

function reason(earlier: readonly string[], { orderReason }: Ordering): string {
  if (earlier.length === 0) return 'nothing has to be captured before it';
  return `after ${earlier.join(', ')}${orderReason === undefined ? '' : `: ${orderReason}`}`;
}

function refuseUnknownRoles(components: readonly Placed[], { roles, order }: Ordering): void {
  const known = Object.keys(roles);
  for (const { component, role } of components) {
    if (!known.includes(role)) throw new UnknownComponent(component, role, known);
  }
  for (const role of order.flat()) if (!known.includes(role)) throw new UnknownComponent('the order', role, known);
}

function refuseUnfitSources<Name extends string>(
  components: readonly Placed<Name>[],
  predecessors: ReadonlyMap<Name, readonly Name[]>,
): void {
  for (const [i, one] of components.entries()) {
    if (one.source?.kind === 'instance' && one.source.replica) throw new ReplicaSource(one.component, one.source);
    for (const other of components.slice(0, i)) {
      const [a, b] = [one.component, other.component];
      refuseShared(other, one, predecessors.get(a)?.includes(b) || predecessors.get(b)?.includes(a) || false);
    }
  }
}

function refuseShared(one: Placed, other: Placed, ordered: boolean): void {
  const both = `${one.component} and ${other.component}`;
  if (one.component === other.component) {
    throw new SharedSource(`component ${one.component} is listed twice`, 'Give each component a name of its own.');
  }
  const [a, b] = [one.source, other.source];
  if (a?.kind === 'database' && b?.kind === 'database' && a.server === b.server && a.database === b.database) {
    throw new SharedSource(
      `${both} are one and the same database: ${a.database} on ${a.server}`,
      'Give each component the database that it really uses.',
    );
  }
  if (ordered && a?.kind === 'instance' && b?.kind === 'instance' && a.instance === b.instance) {
    throw new SharedSource(
      `${both} lie on one instance, ${a.instance}: one snapshot would take both at once, but one must have ended first`,
      'Move one of them to an instance of its own, or capture both by dumps, which may come from one server.',
    );
  }
}

export class CyclicOrder extends LedgerholdError {
  override readonly name = 'CyclicOrder';
  readonly kind = 'usage';
  /** `cycle` starts and ends with the same role. */
  constructor(cycle: readonly string[]) {
    super(`the order has a cycle: ${cycle.join(' → ')}`, 'Remove one of these edges: each would have to be first.');
  }
}

export class UnknownComponent extends LedgerholdError {
  override readonly name = 'UnknownComponent';
  readonly kind = 'usage';
  constructor(where: string, role: string, known: readonly string[]) {
    super(`${where} names the role "${role}", which this protocol does not have`, suggestion(role, known));
  }
}

/** Two components where one capture could not keep them apart. */
export class SharedSource extends LedgerholdError {
  override readonly name = 'SharedSource';
  readonly kind = 'usage';
}

export class ReplicaSource extends LedgerholdError {
  override readonly name = 'ReplicaSource';
  readonly kind = 'usage';
  constructor(component: string, { instance }: { readonly instance: string }) {
    super(
      `${component} is to be captured from ${instance}, a read replica, which may lag behind the others unseen`,
      'Name the primary instance.',
    );
  }
}
