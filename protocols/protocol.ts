import type { FactQuery, Facts } from '../core/facts.ts';
import type { Law, Reading } from '../core/positions.ts';

/** What a component of some role is and how it may be captured. */
export interface Role {
  /** `database`: PostgreSQL, by dump or snapshot. `identities`: fetched over HTTP from the node. */
  readonly kind: 'database' | 'identities';
  /** One line for `plan` and the docs. */
  readonly holds: string;
  /** Must every config have at least one component of this role? */
  readonly required: boolean;
}

/** What is captured, and in which order: all that the steps of a backup need to know of a ledger before its databases. */
export interface ProtocolOrdering {
  readonly name: string;
  readonly title: string;
  readonly roles: Readonly<Record<string, Role>>;
  /** [before, after]: every capture of the one role has ended before any of the other starts. */
  readonly order: readonly (readonly [before: string, after: string])[];
  /** Why the order is what it is, one line for `plan`. */
  readonly orderReason: string;
}

/** A ledger, mostly as data. `order` and `laws` name roles; a component's role is its name unless the config says otherwise. */
export interface Protocol extends ProtocolOrdering {
  readonly laws: readonly Law[];
  /** What to ask a database for, and what its answers mean for a component of `role`; doubt reads as `unknown`. */
  readonly positions: {
    readonly queries: readonly FactQuery[];
    /** `refused`: this is surely not the database the config means (empty, of another role); the run fails. */
    read(role: string, facts: Facts): Reading | { readonly status: 'refused'; readonly reason: string };
  };
  /** By `Artifact.content`: reads an artifact that is no database dump again, as it was read when it was taken. */
  readonly contents?: Readonly<Record<string, (bytes: Uint8Array) => Reading>>;
  /** Pairs of roles whose readings must name the same identity. */
  readonly sameIdentity: readonly (readonly [string, string])[];
  readonly restore: {
    /** Older sets cannot rejoin the network; a stated policy with its source, since no endpoint tells it. */
    readonly maxAgeDays: number;
    readonly maxAgeReason: string;
    /** What a restore from a set cannot bring back. */
    readonly loses: readonly string[];
    /** What a person must do afterwards. */
    readonly after: readonly string[];
  };
  /** Default for `every`, in hours. */
  readonly everyHours: number;
}
