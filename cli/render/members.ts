import { takesFiles } from '../../core/delivery.ts';
import type { Member } from '../../core/members.ts';
import type { SignedDocument } from '../../vault/member-documents.ts';
import type { MemberStatus } from '../../vault/member-status.ts';
import type { UnreadableMember } from '../../vault/members.ts';
import { ageText, bytesText, secondsText, table } from './units.ts';

const placeOf = ({ destination }: Member): string => {
  if (destination === null) return 'no destination yet';
  return destination.kind === 'folder'
    ? destination.path
    : `s3://${destination.bucket}, ${destination.region}, account ${destination.account}`;
};

/** `signature`: DER in base64, over the canonical form of `document`, whose SHA-256 is `sha256`. */
export const signedNouns = ({ key, sha256, value, signature }: SignedDocument<unknown>): object => ({
  ...{ key, sha256, document: value },
  signature: Buffer.from(signature).toString('base64'),
});

/** One member for programs. */
export const memberNouns = (member: Member): object => {
  const { member: id, n, at, by, state, destination, environmentBackupTarget, chains, check, fault, retry } = member;
  const standing = { member: id, version: n, at, by, state, destination, environmentBackupTarget, chains };
  return { ...standing, chainFiles: takesFiles(member), check, fault, retry };
};

export const memberStatusNouns = ({ member, ...status }: MemberStatus): object => ({
  ...memberNouns(member),
  ...status,
});

/** Of a chain of which nobody can tell what there is. */
export const lostChainText = (node: string, error: unknown): string =>
  `how far members are with ${node} cannot be told: ${error instanceof Error ? error.message : String(error)}`;

export const unreadableNouns = ({ id, fault }: UnreadableMember): object => ({
  member: id,
  state: 'unreadable',
  fault: { name: fault.name, message: fault.message, remedy: fault.remedy },
});

export function memberText(member: Member, now: Date): string[] {
  const { check, chains } = member;
  const checked =
    check === null ? 'never' : `${ageText(check.at, now)}${check.faults.length === 0 ? ', as it must be' : ''}`;
  const rows = [
    ['destination', placeOf(member)],
    ...(chains === null ? [] : [['chains', chains.join(', ') || 'none']]),
    ['checked', checked],
    ...faultRows(member),
  ];
  return [headOf(member), ...indented(rows)];
}

function headOf(member: Member): string {
  const target = member.environmentBackupTarget ? '' : ', gets nothing now (environmentBackupTarget is false)';
  return `${member.member}  ${member.state}${takesFiles(member) ? '' : ', takes no chain files'}${target}`;
}

const indented = (rows: readonly string[][]): string[] => table(rows.map(([a = '', b = '']) => [`  ${a}`, b]));

function faultRows({ check, fault, retry }: Member): string[][] {
  const faults = check?.faults.filter(({ name }) => name !== fault?.name) ?? [];
  return [
    ...[...(fault === null ? [] : [fault]), ...faults].flatMap(({ name, message, remedy }) => [
      [name, message],
      ['', remedy],
    ]),
    ...(retry === null ? [] : [['tried again', `at ${retry.at}, after ${retry.failures} failures in a row`]]),
  ];
}

/** For `status`: how it stands, and not where it is. */
export const memberBrief = (status: MemberStatus, now: Date): string[] => [
  headOf(status.member),
  ...indented([...faultRows(status.member), deliveredRow(status, now), ...lagRows(status, now)]),
];

export function memberStatusText(status: MemberStatus, now: Date): string[] {
  const { member, totals } = status;
  const rows = [
    deliveredRow(status, now),
    ...(totals.unproven === 0
      ? []
      : [['unproven', `${totals.unproven} objects were there before, and were not read by us`]]),
    ...readBackRows(status, now),
    ...lagRows(status, now),
  ];
  return [...memberText(member, now), ...indented(rows)];
}

function deliveredRow({ totals, lastReceiptAt }: MemberStatus, now: Date): string[] {
  const delivered = `${totals.files} files, ${totals.objects} objects, ${bytesText(totals.bytes)}`;
  return ['delivered', lastReceiptAt === null ? 'nothing yet' : `${delivered}, last ${ageText(lastReceiptAt, now)}`];
}

function lagRows({ chains, progress, estimateSeconds }: MemberStatus, now: Date): string[][] {
  const behind = chains.filter(({ manifests }) => manifests > 0);
  if (behind.length === 0) return [];
  const left = estimateSeconds === null ? '' : `, some ${secondsText(estimateSeconds)} to go`;
  return [
    ...behind.map(({ node, blocks, behindSince }) => [
      `lag ${node}`,
      `${blocks} blocks${behindSince === null ? '' : `, since ${ageText(behindSince, now)}`}`,
    ]),
    ...(progress === null ? [] : [['progress', `${Math.floor(progress * 100)} %${left}`]]),
  ];
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
