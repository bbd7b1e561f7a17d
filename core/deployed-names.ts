import type { Digest } from './canonical.ts';
import type { CaptureOrder } from './ports.ts';

/*
 * What is called after a network and its nodes, in whatever account: whoever has the config finds it, and two networks
 * may share an account. No two different things may have one name, so none of these names can be read in two ways.
 * Names of a config are lower-case letters, digits and single hyphens: `_`, or a word with a capital letter, is never theirs.
 */

/** A network's stack: its first group's, which holds the vault, a further group's, a chain's, the second vault's, the delivery's, or the members' API's. */
export type StackOf = 'Second' | 'Delivery' | 'MemberApi' | { readonly group: number } | { readonly chain: string };

/** At most 82 characters of the 128 that CloudFormation takes. It takes no `_`, and tells capital letters from small ones. */
export function stackName(network: string, of: StackOf): string {
  const parts = typeof of === 'string' ? [of] : 'chain' in of ? ['Chain', of.chain] : groupPart(of.group);
  return ['Ledgerhold', network, ...parts].join('-');
}

/** How a group of a network's nodes is told from the others in names. The first needs no word: most networks have one. */
export const groupPart = (group: number): readonly string[] => (group === 1 ? [] : [`Group${group}`]);

const named = (network: string, ...parts: readonly string[]): string => [`ledgerhold-${network}`, ...parts].join('_');

/** The state machine that backs up a group of a network's nodes. At most 80 characters, as Step Functions allows. */
export const backupMachineName = (network: string, group = 1): string => named(network, ...groupPart(group), 'Backup');

/** The state machine that exports one chain of a network. At most 76 characters. */
export const chainMachineName = (network: string, node: string): string => named(network, node);

/** The state machine that looks which members lack something, and starts a delivery to each. At most 62 characters. */
export const deliveryMachineName = (network: string): string => named(network, 'Deliveries');

/** The state machine that brings one member what it lacks. At most 60 characters. */
export const memberMachineName = (network: string): string => named(network, 'Delivery');

/**
 * The same within a minute: who starts twice while it runs starts once. `nth` tells it from others of that minute: those
 * that have ended by then, or that were started for an earlier version of the member. At most 63 characters.
 */
export const memberExecutionName = (member: string, now: Date, nth = 1): string =>
  `${member}_${now.toISOString().slice(0, 16).replaceAll(/\W/g, '')}${nth === 1 ? '' : `_${nth}`}`;

/** Whose execution it is, by its ARN. */
export const memberAtWork = (executionArn: string): string => executionArn.replace(/^.*:/, '').replace(/_\w*$/, '');

/** `parts`: what it is about, and which alarm it is. At most 255 characters, as CloudWatch allows. */
export const alarmName = (network: string, ...parts: readonly string[]): string => named(network, ...parts);

export const dashboardName = (network: string): string => named(network);

/** The role in the first vault's account that fills the second one: fixed, so that the other account can name it. At most 64. */
export const secondVaultRoleName = (network: string): string => named(network, 'SecondVault');

/** The role in the first vault's account that shares snapshots with the second one's and has them copied there. At most 64. */
export const secondSnapshotsRoleName = (network: string): string => named(network, 'SecondRds');

/** The role in the second vault's account that copies snapshots into it; the one above may assume it. At most 64. */
export const snapshotKeeperRoleName = (network: string): string => named(network, 'RdsKeeper');

/** The one role that adds to members' buckets: fixed, so that a member's policy can name it. At most 60 characters. */
export const deliveryRoleName = (network: string): string => named(network, 'Delivery');

/** What the second vault's key is called in its account and Region: its id is known there only. */
export const secondVaultKeyAlias = (network: string): string => `alias/${named(network, 'Second')}`;

/** The secret in which a deployed node's identities are kept to work with. The history is in the vault. */
export const identitiesSecretName = (network: string, node: string): string =>
  `ledgerhold/${network}/${node}/identities`;

/**
 * All snapshots of a network, or of one of its nodes, begin so: retention, grants and quotas go by it, and by the tags.
 * RDS takes single hyphens and no other sign, so each name says first how many characters it has: no network's prefix
 * begins like another's.
 */
export const snapshotPrefix = (network: string, node?: string): string =>
  `ledgerhold-${[network, ...(node === undefined ? [] : [node])].map(counted).join('')}`;

const counted = (name: string): string => `${name.length}-${name}-`;

/**
 * The name of one attempt's snapshot, the same for every repetition. A slot may hold what a name may not, so 16 digits
 * of its SHA-256 stand for it. At most 255 characters.
 */
export function snapshotId(
  { network, node, slot, fence, component }: Pick<CaptureOrder, 'network' | 'node' | 'slot' | 'fence' | 'component'>,
  digest: Digest,
): string {
  const slotDigest = digest(new TextEncoder().encode(slot)).slice(0, 16);
  return `${snapshotPrefix(network, node)}${component}-${slotDigest}-${fence}`;
}

/** At most 62 characters with a network's longest name, since RDS documents 63 for a copy of a cluster's snapshot. */
const COPY_DIGITS = 14;

/**
 * What a snapshot's copy in the second vault's account is called, by its reference's SHA-256 in hex. Nothing that a
 * backup makes begins so: retention passes over copies.
 */
export const snapshotCopyId = (network: string, reference: string): string =>
  `second-${network}-${reference.slice(0, COPY_DIGITS)}`;

/** The names of all copies of a network and of no other, as IAM writes it: `?` is one character. */
export const snapshotCopyPattern = (network: string): string => snapshotCopyId(network, '?'.repeat(COPY_DIGITS));
