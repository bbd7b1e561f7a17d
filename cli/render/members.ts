import type { Member } from '../../core/members.ts';
import type { MemberStatus } from '../../vault/member-status.ts';
import type { UnreadableMember } from '../../vault/members.ts';
import { ageText, bytesText, secondsText, table } from './units.ts';

const placeOf = ({ destination }: Member): string => {
  if (destination === null) return 'no destination yet';
  return destination.kind === 'folder'
    ? destination.path
    : `s3://${destination.bucket}, ${destination.region}, account ${destination.account}`;
};

/** One member for programs. */
export const memberNouns = (member: Member): object => {
  const { member: id, n, at, by, state, destination, environmentBackupTarget, chains, check, fault, retry } = member;
  return { member: id, version: n, at, by, state, destination, environmentBackupTarget, chains, check, fault, retry };
};

export const memberStatusNouns = ({ member, ...status }: MemberStatus): object => ({
  ...memberNouns(member),
  ...status,
});

export const unreadableNouns = ({ id, fault }: UnreadableMember): object => ({
  member: id,
  state: 'unreadable',
  fault: { name: fault.name, message: fault.message, remedy: fault.remedy },
});

export function memberText(member: Member, now: Date): string[] {
  const { member: id, state, environmentBackupTarget, check, fault, retry } = member;
  const target = environmentBackupTarget ? '' : ', gets nothing now (environmentBackupTarget is false)';
  const faults = check?.faults.filter(({ name }) => name !== fault?.name) ?? [];
  const rows = [
    ['destination', placeOf(member)],
    [
      'checked',
      check === null ? 'never' : `${ageText(check.at, now)}${check.faults.length === 0 ? ', as it must be' : ''}`,
    ],
    ...[...(fault === null ? [] : [fault]), ...faults].flatMap(({ name, message, remedy }) => [
      [name, message],
      ['', remedy],
    ]),
    ...(retry === null ? [] : [['tried again', `at ${retry.at}, after ${retry.failures} failures in a row`]]),
  ];
  return [`${id}  ${state}${target}`, ...table(rows.map(([a = '', b = '']) => [`  ${a}`, b]))];
}

export function memberStatusText(status: MemberStatus, now: Date): string[] {
  const { member, totals, chains, progress, estimateSeconds, lastReceiptAt } = status;
  const behind = chains.filter(({ manifests }) => manifests > 0);
  const delivered = `${totals.files} files, ${totals.objects} objects, ${bytesText(totals.bytes)}`;
  const rows = [
    ['delivered', lastReceiptAt === null ? 'nothing yet' : `${delivered}, last ${ageText(lastReceiptAt, now)}`],
    ...(totals.unproven === 0
      ? []
      : [['unproven', `${totals.unproven} objects were there before, and were not read by us`]]),
    ...readBackRows(status, now),
    ...behind.map(({ node, blocks, behindSince }) => [
      `lag ${node}`,
      `${blocks} blocks${behindSince === null ? '' : `, since ${ageText(behindSince, now)}`}`,
    ]),
    ...(behind.length === 0 || progress === null
      ? []
      : [
          [
            'progress',
            `${Math.floor(progress * 100)} %${estimateSeconds === null ? '' : `, some ${secondsText(estimateSeconds)} to go`}`,
          ],
        ]),
  ];
  return [...memberText(member, now), ...table(rows.map(([a = '', b = '']) => [`  ${a}`, b]))];
}

function readBackRows({ readBack }: MemberStatus, now: Date): string[][] {
  if (readBack === null) return [];
  const { day, whole, at, fault, unread } = readBack;
  const date = new Date(day * 86_400_000).toISOString().slice(0, 10);
  const found = fault === null ? '' : `, ${fault.name}: ${fault.key}`;
  const left = unread === 0 ? '' : `, ${unread} too large to be read`;
  return [['read back', `${whole ? '' : 'part of '}the objects of ${date}, ${ageText(at, now)}${found}${left}`]];
}

export const unreadableText = ({ id, fault }: UnreadableMember): string[] => [
  `${id}  unreadable`,
  ...table([
    [`  ${fault.name}`, fault.message],
    ['  ', fault.remedy],
  ]),
];
