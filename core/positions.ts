import * as z from 'zod';
import { LedgerholdError } from './errors.ts';
import { isoMicroseconds, secondsText } from './microseconds.ts';

/** A whole number in decimal digits: ledgers' counters pass 2^53. */
export const Counter = z.strictObject({
  /** Which counter of the role, in our words, such as `ledger-end`. */
  name: z.string(),
  /** What it counts within, such as the physical synchronizer's id; absent when there is one scope only. */
  scope: z.string().optional(),
  value: z.string().regex(/^-?\d+$/),
  /** `microseconds`: UTC since 1970. */
  unit: z.enum(['offset', 'microseconds', 'block']),
  /** Table and column it was read from. */
  source: z.string(),
});
export type Counter = z.infer<typeof Counter>;

/** How far a component's own database says that it has got; `unknown` whenever there is any doubt. */
export const Reading = z.discriminatedUnion('status', [
  z.strictObject({
    status: z.literal('known'),
    /** The part the database plays, told by its rows. */
    role: z.string(),
    /** Who the node says it is, such as `PAR::name::1220…`; null where the database does not say. */
    identity: z.string().nullable(),
    counters: z.array(Counter),
  }),
  z.strictObject({ status: z.literal('unknown'), reason: z.string() }),
]);
export type Reading = z.infer<typeof Reading>;

/** `lower` may never have got further than `upper`. Equality is fine. Compared scope by scope. */
export interface Law {
  readonly id: string;
  readonly lower: { readonly role: string; readonly counter: string };
  readonly upper: { readonly role: string; readonly counter: string };
  /** What it means for the node when the law is broken, one sentence. */
  readonly broken: string;
}

export const Comparison = z.strictObject({
  law: z.string(),
  scope: z.string().optional(),
  lower: z.strictObject({ component: z.string(), counter: z.string(), value: z.string() }),
  upper: z.strictObject({ component: z.string(), counter: z.string(), value: z.string() }),
  unit: z.string(),
  /** lower − upper: ≤ 0 holds, > 0 is a fork. */
  difference: z.string(),
});
export type Comparison = z.infer<typeof Comparison>;

/** Violated outranks unknown, unknown outranks proven. */
export const Verdict = z.discriminatedUnion('status', [
  z.strictObject({ status: z.literal('proven'), comparisons: z.array(Comparison) }),
  z.strictObject({
    status: z.literal('violated'),
    comparisons: z.array(Comparison),
    violations: z.array(z.string()).min(1),
  }),
  z.strictObject({
    status: z.literal('unknown'),
    comparisons: z.array(Comparison),
    reasons: z.array(z.string()).min(1),
  }),
]);
export type Verdict = z.infer<typeof Verdict>;

/** A component of a set with what its own state said; without `reading` nobody asked it, which is doubt too. */
export interface Attested {
  readonly component: string;
  readonly role: string;
  readonly reading?: Reading | undefined;
  /** Its state lies in a snapshot, which says nothing before it is restored. */
  readonly inSnapshot?: boolean;
}

export interface Evidence {
  readonly laws: readonly Law[];
  /** Pairs of roles that must name the same identity. */
  readonly sameIdentity: readonly (readonly [string, string])[];
  readonly readings: readonly Attested[];
  /** Pairs [before, after] of components whose order is proved; absent where only readings count. */
  readonly order?: readonly (readonly [string, string])[];
}

/**
 * What a set's readings prove. Every pair of components that a law binds is compared, exactly, on every scope that both
 * count in. Whatever a law or a pair of identities binds and could not be compared is a reason for `unknown`. A law that
 * binds a snapshot cannot be compared and need not be: where its lower side had ended before its upper side started, it
 * follows from the order.
 */
export function judge(evidence: Evidence): Verdict {
  const { laws, readings } = evidence;
  const comparisons = laws.flatMap((law) => pairs(readings, law.lower.role, law.upper.role).flatMap(comparing(law)));
  const forks = laws.flatMap((law) =>
    comparisons.filter(({ law: id, difference }) => id === law.id && BigInt(difference) > 0n).map(describeFork(law)),
  );
  const violations = [...forks, ...strangers(evidence)];
  if (violations.length > 0) return { status: 'violated', comparisons, violations };
  const reasons = [...new Set([...unread(evidence), ...uncompared(evidence, comparisons)])];
  return reasons.length > 0 ? { status: 'unknown', comparisons, reasons } : { status: 'proven', comparisons };
}

const playing = (readings: readonly Attested[], role: string) => readings.filter((each) => each.role === role);

const pairs = (readings: readonly Attested[], role: string, otherRole: string) =>
  playing(readings, role).flatMap((one) => playing(readings, otherRole).map((other) => [one, other] as const));

const counters = ({ reading }: Attested, name: string): readonly Counter[] =>
  reading?.status === 'known' ? reading.counters.filter((counter) => counter.name === name) : [];

const comparing =
  (law: Law) =>
  ([lower, upper]: readonly [Attested, Attested]): Comparison[] =>
    counters(lower, law.lower.counter).flatMap((below) =>
      counters(upper, law.upper.counter)
        .filter(({ scope, unit }) => scope === below.scope && unit === below.unit)
        .map((above) => ({
          law: law.id,
          ...(below.scope === undefined ? {} : { scope: below.scope }),
          lower: { component: lower.component, counter: below.name, value: below.value },
          upper: { component: upper.component, counter: above.name, value: above.value },
          unit: below.unit,
          difference: String(BigInt(below.value) - BigInt(above.value)),
        })),
    );

const describeFork =
  (law: Law) =>
  ({ lower, upper, unit, scope, difference }: Comparison): string => {
    const side = (of: typeof lower) => `${of.component} (${of.counter} ${valueText(of.value, unit)})`;
    const by = unit === 'microseconds' ? secondsText(BigInt(difference)) : difference;
    const where = scope === undefined ? '' : ` on ${scope}`;
    return `${side(lower)} is ${by} ahead of ${side(upper)}${where}: ${law.broken}`;
  };

const valueText = (value: string, unit: string): string =>
  unit === 'microseconds' ? `${value}, ${isoMicroseconds(BigInt(value)) ?? 'no date'}` : value;

/** Components that must be of one node and name different ones. */
const strangers = ({ sameIdentity, readings }: Evidence): string[] =>
  sameIdentity.flatMap(([role, otherRole]) =>
    pairs(readings, role, otherRole).flatMap(([one, other]) => {
      const [a, b] = [identityOf(one), identityOf(other)];
      if (a === undefined || b === undefined || a === b) return [];
      return [`${one.component} belongs to ${a}, but ${other.component} to ${b}`];
    }),
  );

const identityOf = ({ reading }: Attested): string | undefined =>
  reading?.status === 'known' && reading.identity !== null ? reading.identity : undefined;

/** Components that did not say what they were asked, or were not asked although something binds them. */
function unread(evidence: Evidence): string[] {
  const { laws, sameIdentity, readings } = evidence;
  const bound = [...laws.map(({ lower, upper }) => [lower.role, upper.role] as const), ...sameIdentity];
  return readings.flatMap((each) => {
    const { component, role, reading, inSnapshot } = each;
    if (inSnapshot === true) return unordered(each, evidence);
    if (reading?.status === 'unknown') return [`${component}: ${reading.reason}`];
    if (reading === undefined) {
      return bound.flat().includes(role) ? [`${component} was never asked how far it has got`] : [];
    }
    const named = sameIdentity.some((pair) => pair.includes(role)) && identityOf(each) === undefined;
    return named ? [`${component} does not say whose it is`] : [];
  });
}

/** Laws that bind a snapshot and do not follow from the order. */
const unordered = (snapshot: Attested, { laws, readings, order = [] }: Evidence): string[] =>
  laws.flatMap((law) =>
    pairs(readings, law.lower.role, law.upper.role)
      .filter((pair) => pair.includes(snapshot))
      .filter(([{ component: lower }, { component: upper }]) => {
        return !order.some(([before, after]) => before === lower && after === upper);
      })
      .map(() => `${snapshot.component} lies in a snapshot, and ${law.id} does not follow from the order`),
  );

/** Components that a law binds and nothing was compared of: a fork could hide there. */
function uncompared({ laws, readings }: Evidence, comparisons: readonly Comparison[]): string[] {
  // Who said nothing is a doubt already.
  const known = readings.filter(({ reading }) => reading?.status === 'known');
  // What it may have nothing in common with a dump for, it may have with a snapshot: and there the order speaks.
  const meetsSnapshot = (each: Attested, by: readonly Law[]) =>
    by.some((law) =>
      pairs(readings, law.lower.role, law.upper.role).some(
        (pair) => pair.includes(each) && pair.some(({ inSnapshot }) => inSnapshot === true),
      ),
    );
  const active = laws.filter(({ lower, upper }) => pairs(known, lower.role, upper.role).length > 0);
  const alone = (law: Law, side: 'lower' | 'upper', compared: readonly Comparison[]) =>
    playing(known, law[side].role)
      .filter((each) => !compared.some((comparison) => comparison[side].component === each.component))
      .filter((each) => counters(each, law[side].counter).length === 0 || !meetsSnapshot(each, [law]))
      .map((each) => lonely(each, law, side));
  const doubts = active.flatMap((law) => [
    ...alone(
      law,
      'lower',
      comparisons.filter(({ law: id }) => id === law.id),
    ),
    // One law is enough for an upper: a synchronizer need not be one that every participant is connected to.
    ...alone(law, 'upper', comparisons),
  ]);
  const bound = known.filter(
    (each) =>
      laws.some(({ lower, upper }) => [lower.role, upper.role].includes(each.role)) && !meetsSnapshot(each, laws),
  );
  if (comparisons.length > 0 || bound.length < 2 || doubts.length > 0) return doubts;
  return [`no law compares ${bound.map(({ component }) => component).join(' with ')}`];
}

function lonely(each: Attested, law: Law, side: 'lower' | 'upper'): string {
  const { counter } = law[side];
  const scopes = counters(each, counter).map(({ scope, value }) => scope ?? value);
  return scopes.length === 0
    ? `${each.component} has no ${counter}, which ${law.id} compares`
    : `nothing could be compared with the ${counter} of ${each.component} (${scopes.join(', ')}), which ${law.id} compares`;
}

export class OrderViolated extends LedgerholdError {
  override readonly name = 'OrderViolated';
  readonly kind = 'violation';
}
