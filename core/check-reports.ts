import type { CheckReport } from './members.ts';

/** What the first check has left in a bucket is gone, and so are who knows how many files. */
export const EMPTIED = 'EMPTIED';

/** A look leaves its canaries anew: that a later one finds them brings no file back. A new registration does. */
export function stillEmptied(before: CheckReport | null, report: CheckReport): CheckReport {
  const faults = [...(before?.faults ?? []), ...report.faults].filter(({ name }) => name === EMPTIED).slice(-1);
  return { ...report, faults: [...faults, ...report.faults.filter(({ name }) => name !== EMPTIED)] };
}
