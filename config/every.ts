import { protocolNamed } from '../protocols/registry.ts';
import type { DatabaseNode } from './nodes.ts';

/** The time between two runs of a node, in seconds: what the config says, else what the ledger advises. */
export const everySecondsOf = ({ every, protocol }: DatabaseNode): number =>
  every ?? protocolNamed(protocol).everyHours * 3600;
