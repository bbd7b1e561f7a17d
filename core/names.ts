import * as z from 'zod';

/** No two hyphens in a row, since RDS takes none: so a name is a part of its snapshots' as it is. */
const name = (longest: number) =>
  z
    .string()
    .max(longest)
    .regex(/^[a-z0-9]+(?:-[a-z0-9]+)*$/, { error: 'write lower-case letters, digits and single hyphens' });

/** What one config describes. Lower-case letters, digits and single hyphens, at most 40. */
export const NetworkName = name(40).brand('NetworkName');
export type NetworkName = z.infer<typeof NetworkName>;

/** At most 24 characters: it becomes part of database and snapshot names, which end at 63. */
export const NodeName = name(24).brand('NodeName');
export type NodeName = z.infer<typeof NodeName>;

export const ComponentName = name(24).brand('ComponentName');
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

/** Of documents that are numbered: the eight digits that their keys have. */
export const HIGHEST = 99_999_999;

/** The number of a manifest in its node's chain, from 1. */
export const Seq = z.int().min(1).max(HIGHEST).brand('Seq');
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

/** Under which a member's bucket or folder has all that is delivered: what lies there is itself a vault. */
export const memberPrefix = (network: string, member: string): string => `ledgerhold/${network}/${member}/`;
