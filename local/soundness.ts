import type { Finding } from '../core/proof.ts';
import type { ProvedSet } from '../vault/sound-set.ts';
import { SetNotProven, SetNotSound } from './restore-errors.ts';
import type { Meaning } from './restored-reading.ts';

/** Throws `SetNotSound` if anything speaks against a set; doubt does not. */
export function refuseUnsound(set: ProvedSet): void {
  const { report } = set;
  if (report.expired) throw new SetNotSound(report.set, ['retention has removed what it held']);
  const violations = said(set, 'violation');
  if (violations.length > 0) throw new SetNotSound(report.set, violations);
}

/** What a sound set's ledger means. Throws `SetNotSound`; where something is in doubt, `SetNotProven` unless accepted. */
export function meaningOf(set: ProvedSet, doubtAccepted: boolean): Meaning {
  refuseUnsound(set);
  const { protocol } = set.proof;
  if (protocol !== undefined && (set.report.status === 'proven' || doubtAccepted)) return protocol;
  throw new SetNotProven(set.report.set, said(set, 'unknown'));
}

export const said = ({ report }: ProvedSet, level: Finding['level']): string[] =>
  report.findings.filter((finding) => finding.level === level).map(({ text }) => text);
