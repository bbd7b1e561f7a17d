import type { DeliveryEnd } from '../../vault/deliver.ts';
import type { UnreadableMember } from '../../vault/members.ts';
import type { ExitCode } from '../exit-codes.ts';
import { unreadableNouns, unreadableText } from './members.ts';
import { bytesText, table } from './units.ts';

/** A member that gets nothing because somebody wants it so is no failure. */
export const EXIT_OF: Readonly<Record<DeliveryEnd['outcome'], ExitCode>> = {
  ...{ whole: 0, off: 0, more: 4, failed: 4, later: 4, suspended: 5 },
};

const MEANING: Readonly<Record<DeliveryEnd['outcome'], string>> = {
  whole: 'has all of the history that it takes',
  more: 'has not all of it yet: run again',
  failed: 'failed; it is tried again by itself',
  later: 'failed before; its next try is yet to come',
  suspended: 'is suspended: a person has to look',
  off: 'is no backup target',
};

export const deliveryNouns = (
  ends: readonly DeliveryEnd[],
  unreadable: readonly UnreadableMember[],
): Record<string, unknown> => ({ members: [...ends, ...unreadable.map(unreadableNouns)] });

export function deliveryText(ends: readonly DeliveryEnd[], unreadable: readonly UnreadableMember[]): string[] {
  return [
    ...table(
      ends.map(({ member, outcome, objects, totals }) => [
        member,
        MEANING[outcome],
        `${objects} objects now, ${totals.files} files and ${bytesText(totals.bytes)} in all`,
      ]),
    ),
    ...ends.flatMap(({ member, fault }) =>
      fault === undefined ? [] : [`${member}: ${fault.name}: ${fault.message}`, `  ${fault.remedy}`],
    ),
    ...unreadable.flatMap(unreadableText),
  ];
}
