import type { Verdict } from '../../core/positions.ts';
import type { EndReceipt } from '../../core/receipts.ts';
import type { readReceipts, StoredSet } from '../../vault/sets.ts';
import type { Signature } from '../signatures.ts';
import { setBrief } from './sets.ts';
import { ageText, bytesText, secondsText, table } from './units.ts';

type Receipts = ReadonlyMap<string, Awaited<ReturnType<typeof readReceipts>>>;

/** A set for programs: the manifest as signed, and the receipts as they lie. */
export function showNouns(set: StoredSet, receipts: Receipts, signature?: Signature): Record<string, unknown> {
  return {
    ...setBrief(set, signature),
    signed: set.manifest.value,
    receipts: Object.fromEntries(
      [...receipts].map(([component, { start, end }]) => [component, { start: start?.value, end: end?.value }]),
    ),
    ...(set.tombstone === undefined ? {} : { tombstone: set.tombstone.value }),
  };
}

export function showText(set: StoredSet, receipts: Receipts, now: Date, signature?: Signature): string[] {
  const { value, sha256 } = set.manifest;
  return [
    ...table([
      ['set', `${set.id}, sealed ${value.sealedAt} (${ageText(value.sealedAt, now)})`],
      ['slot', `${value.slot}, attempt ${value.fence}, reason ${value.reason}`],
      ['state', set.tombstone === undefined ? 'kept' : `expired: ${set.tombstone.value.reasons.join('; ')}`],
      ['order', value.waves.map((wave) => wave.join(' + ')).join(' → ')],
      ['spread', `${secondsText(value.spreadSeconds)} from the first capture’s start to the last one’s`],
      ['verdict', value.verdict.status],
      ['manifest', sha256],
      ['signer', `${value.signer}${signature === undefined ? '' : `, signature ${signature}`}`],
      ...Object.entries(value.facts).map(([name, fact]) => [name, fact]),
    ]),
    ...value.components.flatMap(({ component, role }) => componentText(component, role, receipts)),
    ...verdictText(value.verdict),
    '',
    'This is what the set says of itself. `ledgerhold verify` proves it.',
  ];
}

function componentText(component: string, role: string, receipts: Receipts): string[] {
  const { start, end } = receipts.get(component) ?? {};
  const cites = start?.value.predecessors.map((each) => each.component) ?? [];
  const title = ['', `${component}${role === component ? '' : ` (${role})`}`];
  if (end === undefined) return [...title, '  its receipt is missing'];
  const { startedAt, endedAt, artifacts, reading, versions, notes } = end.value;
  const took = secondsText((Date.parse(endedAt) - Date.parse(startedAt)) / 1000);
  return [
    ...title,
    ...table([
      ['  from', start === undefined ? 'its start receipt is missing' : start.value.source.at],
      ['  taken', `${startedAt} to ${endedAt} (${took})`],
      ['  after', cites.length === 0 ? 'nothing before it' : cites.join(', ')],
      ...artifacts.map(({ key, size, plain }) => ['  file', `${key}, ${bytesText(size)} of ${bytesText(plain.size)}`]),
      ...readingText(reading),
      ...Object.entries({ ...versions, ...notes }).map(([name, text]) => [`  ${name}`, text]),
    ]),
  ];
}

function readingText(reading: EndReceipt['reading']): string[][] {
  if (reading === undefined) return [];
  if (reading.status === 'unknown') return [['  position', `unknown: ${reading.reason}`]];
  return [
    ...(reading.identity === null ? [] : [['  identity', reading.identity]]),
    ...reading.counters.map(({ name, scope, value, unit }) => [
      '  position',
      `${name} ${value} (${unit})${scope === undefined ? '' : ` on ${scope}`}`,
    ]),
  ];
}

function verdictText(verdict: Verdict): string[] {
  const why = verdict.status === 'unknown' ? verdict.reasons : verdict.status === 'violated' ? verdict.violations : [];
  return [
    ...(verdict.comparisons.length === 0 ? [] : ['']),
    ...verdict.comparisons.map(
      ({ law, lower, upper, difference }) =>
        `${law}: ${lower.component} ${lower.value} ≤ ${upper.component} ${upper.value} (difference ${difference})`,
    ),
    ...why.map((reason) => `${verdict.status}: ${reason}`),
  ];
}
