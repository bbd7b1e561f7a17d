import { hostname, userInfo } from 'node:os';
import { type Vault, VaultUnavailable } from '../core/vault.ts';
import { holdSet } from '../vault/holds.ts';
import type { Shell } from './shell.ts';

/** Longer than any restore takes; what is killed meanwhile lets go by itself. */
const HOURS = 24;

export interface UsedSet {
  readonly node: string;
  readonly seq: number;
}

/**
 * Keeps retention away from a set while it is used. Where this identity may not write to the vault the work is done all
 * the same, and it is said: a restore in need must not fail for want of a note.
 */
export async function holding<T>(
  { clock, warn }: Shell,
  vault: Vault,
  { node, seq }: UsedSet,
  what: 'restore' | 'drill',
  work: () => Promise<T>,
): Promise<T> {
  const by = `${what} by ${userInfo().username} on ${hostname()}, process ${process.pid}`;
  const hold = async (hours: number): Promise<boolean> => {
    try {
      await holdSet({ node, seq, by, until: new Date(clock.now().getTime() + hours * 3_600_000) }, { vault, clock });
      return true;
    } catch (error) {
      if (!(error instanceof VaultUnavailable)) throw error;
      warn(`retention was not told that ${node}/${seq} is in use: ${error.message}`);
      return false;
    }
  };
  const held = await hold(HOURS);
  try {
    return await work();
  } finally {
    if (held) await hold(0);
  }
}
