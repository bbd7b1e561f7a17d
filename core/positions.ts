import * as z from 'zod';
import { LedgerholdError } from './errors.ts';

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

export class OrderViolated extends LedgerholdError {
  override readonly name = 'OrderViolated';
  readonly kind = 'violation';
}
