import { LedgerholdError } from './errors.ts';
import type { Verdict } from './positions.ts';

/** What must be known of a set before it may be restored. */
export interface Candidate {
  /** `<node>/<seq>`. */
  readonly id: string;
  readonly seq: number;
  /** ISO 8601, UTC. */
  readonly sealedAt: string;
  /** When the first capture started, where that is known: the state is at least as old as this. ISO 8601, UTC. */
  readonly takenAt?: string;
  readonly verdict: Verdict['status'];
  /** Has retention removed what it held? */
  readonly expired: boolean;
  /** Keys that the manifest cites and the vault does not hold. */
  readonly missing: readonly string[];
  /** A sentence on what is not as it was sealed, or keeps it from being read: nothing else that it says counts then. */
  readonly damage?: string;
}

/** What speaks against restoring a set. A person may accept the first two; nobody may accept the others. */
export type Hazard = 'unproven' | 'old' | 'damaged' | 'violated' | 'expired' | 'incomplete' | 'too-new' | 'absent';
export const ACCEPTABLE = ['unproven', 'old'] as const satisfies readonly Hazard[];
export type Acceptable = (typeof ACCEPTABLE)[number];

export interface Objection {
  readonly hazard: Hazard;
  /** One sentence with the value that speaks against the set. */
  readonly why: string;
}

export interface Wish {
  readonly now: Date;
  /** From the protocol: older sets cannot rejoin the network. */
  readonly policy: { readonly maxAgeDays: number; readonly maxAgeReason: string };
  /** Not sealed after this. */
  readonly to?: Date;
  /** The id of one set and no other. */
  readonly set?: string;
  /** Hazards that a person has accepted for `set`. Without `set` nothing is accepted. */
  readonly accept?: readonly Acceptable[];
}

export type Choice<C extends Candidate> =
  | {
      readonly ok: true;
      readonly chosen: C;
      /** What was accepted and does speak against it. */
      readonly accepted: readonly Objection[];
      readonly passedOver: readonly PassedOver[];
    }
  | { readonly ok: false; readonly hazards: readonly Objection[]; readonly passedOver: readonly PassedOver[] };

/** A newer set, and why it was not taken. */
export interface PassedOver {
  readonly id: string;
  readonly why: readonly string[];
}

/** The newest set that nothing speaks against, or the one that was named unless something does. */
export function chooseSet<C extends Candidate>(candidates: readonly C[], wish: Wish): Choice<C> {
  const newestFirst = candidates.toSorted((a, b) => b.seq - a.seq);
  return wish.set === undefined ? chooseNewest(newestFirst, wish) : chooseNamed(newestFirst, wish.set, wish);
}

function chooseNewest<C extends Candidate>(newestFirst: readonly C[], wish: Wish): Choice<C> {
  const passedOver: PassedOver[] = [];
  for (const candidate of newestFirst) {
    const against = objections(candidate, wish);
    if (against.length === 0) return { ok: true, chosen: candidate, accepted: [], passedOver };
    passedOver.push({ id: candidate.id, why: against.map(({ why }) => why) });
  }
  const why = passedOver.length === 0 ? 'there is no set at all' : 'something speaks against every set';
  return { ok: false, hazards: [{ hazard: 'absent', why }], passedOver };
}

function chooseNamed<C extends Candidate>(newestFirst: readonly C[], named: string, wish: Wish): Choice<C> {
  const chosen = newestFirst.find(({ id }) => id === named);
  if (chosen === undefined) {
    return { ok: false, hazards: [{ hazard: 'absent', why: `there is no set ${named}` }], passedOver: [] };
  }
  const passedOver = newestFirst
    .filter(({ seq }) => seq > chosen.seq)
    .map((newer) => ({ id: newer.id, why: whyNot(newer, named, wish) }));
  const against = objections(chosen, wish);
  const accept: readonly Hazard[] = wish.accept ?? [];
  const hazards = against.filter(({ hazard }) => !accept.includes(hazard));
  return hazards.length === 0
    ? { ok: true, chosen, accepted: against, passedOver }
    : { ok: false, hazards, passedOver };
}

function whyNot(newer: Candidate, named: string, wish: Wish): readonly string[] {
  const against = objections(newer, wish).map(({ why }) => why);
  return against.length === 0 ? [`nothing speaks against it, but ${named} was named`] : against;
}

const HOUR_MS = 3_600_000;

/** All that speaks against restoring a set now. */
export function objections(set: Candidate, { now, to, policy }: Wish): readonly Objection[] {
  if (set.damage !== undefined) return [{ hazard: 'damaged', why: set.damage }];
  const found: Objection[] = [];
  const object = (hazard: Hazard, why: string) => found.push({ hazard, why });
  if (set.expired) object('expired', 'retention has removed what it held');
  else if (set.missing.length > 0) object('incomplete', `the vault does not hold ${set.missing.join(', ')}`);
  if (set.verdict === 'violated') object('violated', 'its order is violated: a node restored from it forks');
  if (set.verdict === 'unknown') object('unproven', 'its order is not proven');
  if (to !== undefined && !(Date.parse(set.sealedAt) <= to.getTime())) {
    object('too-new', `it was sealed at ${set.sealedAt}, after ${to.toISOString()}`);
  }
  const age = tooOld(set.takenAt ?? set.sealedAt, now, policy);
  return age === undefined ? found : [...found, age];
}

/** What speaks against a state of `takenAt` for its age alone. A date that cannot be read counts as too old. */
export function tooOld(takenAt: string, now: Date, policy: Wish['policy']): Objection | undefined {
  const ageHours = (now.getTime() - Date.parse(takenAt)) / HOUR_MS;
  if (ageHours <= policy.maxAgeDays * 24) return undefined;
  const age = `it is ${(ageHours / 24).toFixed(1)} days old, and ${policy.maxAgeDays} are the limit`;
  return { hazard: 'old', why: `${age}: ${policy.maxAgeReason}` };
}

/** No set could be chosen, or something speaks against the one that was named. */
export class NoSafeSet extends LedgerholdError {
  override readonly name = 'NoSafeSet';
  readonly kind = 'refused';
  constructor({ hazards, passedOver }: Extract<Choice<Candidate>, { ok: false }>) {
    const details = passedOver.map(({ id, why }) => `${id}: ${why.join('; ')}`);
    const acceptable = hazards.filter(({ hazard }) => hazard === 'unproven' || hazard === 'old');
    super(
      [hazards.map(({ why }) => why).join('; '), ...details].join('\n  '),
      acceptable.length > 0 && acceptable.length === hazards.length
        ? `Name another set, or accept the hazard by --accept ${acceptable.map(({ hazard }) => hazard).join(',')}.`
        : 'Name another set; `ledgerhold sets` lists them.',
    );
  }
}
