import { isDeepStrictEqual } from 'node:util';
import type { Facts } from '../core/facts.ts';
import { type Attested, judge, type Reading } from '../core/positions.ts';
import type { SetProof } from '../vault/prove-set.ts';
import { RestoredDiffers, SetNotProven } from './restore-errors.ts';

/** What a restore must know of a ledger: how its state says what it is, and which laws that must fulfil. */
export type Meaning = Pick<NonNullable<SetProof['protocol']>, 'laws' | 'sameIdentity' | 'positions' | 'contents'>;

/** One restored component: what it said when it was captured, and what it says now. */
export interface Restored extends Attested {
  readonly attested: Reading | undefined;
}

/** The reading of a restored database. Throws `RestoredDiffers` if it is surely no database of that role. */
export function readingOf(component: string, role: string, facts: Facts, { positions }: Meaning): Reading {
  const reading = positions.read(role, facts);
  if (reading.status === 'refused') throw new RestoredDiffers(component, reading.reason);
  return reading;
}

/**
 * Compares what was restored with what was attested, and judges it anew by the ledger's laws. Throws `RestoredDiffers`;
 * where something cannot be told, `SetNotProven` unless `doubtAccepted`.
 */
export function checkMeaning(
  set: string,
  restored: readonly Restored[],
  { laws, sameIdentity }: Meaning,
  doubtAccepted: boolean,
): void {
  for (const { component, attested, reading } of restored) {
    if (attested === undefined || isDeepStrictEqual(attested, reading)) continue;
    throw new RestoredDiffers(component, `it says ${said(reading)}, and said ${said(attested)} when it was captured`);
  }
  const verdict = judge({ laws, sameIdentity, readings: restored });
  if (verdict.status === 'violated') throw new RestoredDiffers(`set ${set}`, verdict.violations.join('; '));
  if (verdict.status === 'unknown' && !doubtAccepted) throw new SetNotProven(set, verdict.reasons);
}

function said(reading: Reading | undefined): string {
  if (reading === undefined) return 'nothing';
  if (reading.status === 'unknown') return `"${reading.reason}"`;
  const counters = reading.counters.map(
    ({ name, scope, value }) => `${name}${scope === undefined ? '' : ` of ${scope}`} ${value}`,
  );
  return [reading.identity ?? 'no identity', ...counters].join(', ');
}
