import { LedgerholdError } from '../core/errors.ts';
import { freeBytes } from './disk.ts';

/** Room that a set may take beyond the one before it. */
const GROWTH = 1.2;

/** A run was not started, since its set would not fit; so nothing half-written is left. */
export class DiskTooFull extends LedgerholdError {
  override readonly name = 'DiskTooFull';
  readonly kind = 'external';
}

/** Refuses a run whose set will not fit beside the others. `lastBytes`: what the last set takes; undefined: none yet. */
export async function assertRoom(
  folder: string,
  lastBytes: number | undefined,
  free: (path: string) => Promise<number> = freeBytes,
): Promise<void> {
  if (lastBytes === undefined) return;
  const [needed, has] = [Math.ceil(lastBytes * GROWTH), await free(folder)];
  if (has >= needed) return;
  throw new DiskTooFull(
    `the disk of ${folder} has ${has} bytes free; the next set will need about ${needed}`,
    'Free space there, shorten `retention`, or move the vault to a larger disk.',
  );
}
