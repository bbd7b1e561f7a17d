import * as z from 'zod';

const dns = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/;

/** What one config describes. Lower-case letters, digits and hyphens, at most 40. */
export const NetworkName = z.string().max(40).regex(dns).brand('NetworkName');
export type NetworkName = z.infer<typeof NetworkName>;

/** At most 24 characters: it becomes part of database and snapshot names, which end at 63. */
export const NodeName = z.string().max(24).regex(dns).brand('NodeName');
export type NodeName = z.infer<typeof NodeName>;

export const ComponentName = z.string().max(24).regex(dns).brand('ComponentName');
export type ComponentName = z.infer<typeof ComponentName>;

/** The scheduled time (ISO 8601, UTC, whole seconds) or the manual id that a run is for. */
export const Slot = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._:+-]{0,63}$/)
  .brand('Slot');
export type Slot = z.infer<typeof Slot>;

/** The number of the attempt at a slot, from 1. */
export const Fence = z.int().min(1).brand('Fence');
export type Fence = z.infer<typeof Fence>;

/** The number of a manifest in its node's chain, from 1. */
export const Seq = z.int().min(1).max(99_999_999).brand('Seq');
export type Seq = z.infer<typeof Seq>;

/** SHA-256 in lower-case hex, 64 characters. */
export const Sha256 = z
  .string()
  .regex(/^[0-9a-f]{64}$/)
  .brand('Sha256');
export type Sha256 = z.infer<typeof Sha256>;

/** An instant in UTC, ISO 8601 with milliseconds. For people and for policy; no proof of order rests on it. */
export const Instant = z.iso.datetime().brand('Instant');
export type Instant = z.infer<typeof Instant>;

/** How a set is called on the command line: `<node>/<seq>`. */
export const setId = (node: string, seq: number): string => `${node}/${seq}`;

/**
 * The state machine that backs up a group of a network's nodes: fixed, so that whoever has the network's name finds it.
 * At most 80 characters, as Step Functions allows.
 */
export const backupMachineName = (network: string, group = 1): string =>
  `ledgerhold-${network}-backup${group === 1 ? '' : `-${group}`}`;

/** The state machine that exports one chain of a network. At most 76 characters. */
export const chainMachineName = (network: string, node: string): string => `ledgerhold-${network}-${node}`;

/** The role in the first vault's account that fills the second one: fixed, so that the other account can name it. At most 64. */
export const secondVaultRoleName = (network: string): string => `ledgerhold-${network}-second-vault`;

/** The role in the first vault's account that shares snapshots with the second one's and has them copied there. At most 64. */
export const secondSnapshotsRoleName = (network: string): string => `ledgerhold-${network}-second-rds`;

/** The role in the second vault's account that copies snapshots into it; the one above may assume it. At most 64. */
export const snapshotKeeperRoleName = (network: string): string => `ledgerhold-${network}-rds-keeper`;

/** What the second vault's key is called in its account and Region: its id is known there only. */
export const secondVaultKeyAlias = (network: string): string => `alias/ledgerhold-${network}-second`;

/** The one role that adds to members' buckets: fixed, so that a member's policy can name it. At most 60 characters. */
export const deliveryRoleName = (network: string): string => `ledgerhold-${network}-delivery`;

/** Under which a member's bucket or folder has all that is delivered: what lies there is itself a vault. */
export const memberPrefix = (network: string, member: string): string => `ledgerhold/${network}/${member}/`;
