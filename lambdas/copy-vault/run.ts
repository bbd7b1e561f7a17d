import { Instant } from '../../core/names.ts';
import type { Clock, Journal } from '../../core/ports.ts';
import type { InputOf, OutputOf } from '../../core/step.ts';
import type { Vault } from '../../core/vault.ts';
import { copyVault as copyAll, type LargeCopy } from '../../vault/copy-vault.ts';
import { lackingCopies } from '../../vault/lacking-copies.ts';
import type { copyVault } from './contract.ts';

export interface CopyVaultPorts {
  readonly vault: Vault;
  readonly second: Vault;
  readonly large: LargeCopy;
  readonly clock: Clock;
  readonly journal: Journal;
  /** After so long no further object is begun. Milliseconds. */
  readonly turn: number;
}

/** Objects of one call at most: what was copied is then told. */
const OBJECTS = 10_000;

/** As many as RDS lets an account have at first; a hundred names are 10 of the 256 KiB of a state. */
const SNAPSHOTS = 100;

/** A run takes an hour at most, and its turns come first. */
const LOOK_MINUTES = 20;

const later = (now: Date, minutes: number): Instant =>
  Instant.parse(new Date(now.getTime() + minutes * 60_000).toISOString());

/**
 * One turn. What is under way when its time is over is finished, so that every turn brings the copy further; one that is
 * killed leaves nothing that the next one would not do again.
 */
export async function run(
  _: InputOf<typeof copyVault>,
  { vault, second, large, clock, journal, turn }: CopyVaultPorts,
): Promise<OutputOf<typeof copyVault>> {
  const [copied, over] = [{ objects: 0, bytes: 0 }, new AbortController()];
  const end = clock.now().getTime() + turn;
  const onObject = (_key: string, size: number): void => {
    copied.objects += 1;
    copied.bytes += size;
    if (copied.objects >= OBJECTS || clock.now().getTime() >= end) over.abort(OVER);
  };
  const done = await untilOver(copyAll(vault, second, { signal: over.signal, onObject, large }));
  journal.note('copied', { done, ...copied });
  const snapshots = done ? await lackingCopies(vault, second, SNAPSHOTS) : [];
  return { done, ...copied, snapshots, lookUntil: later(clock.now(), LOOK_MINUTES) };
}

/** The reason of a signal that asks for no more than an end. */
const OVER = Symbol('the turn is over');

async function untilOver(copying: Promise<unknown>): Promise<boolean> {
  try {
    await copying;
    return true;
  } catch (reason) {
    if (reason === OVER) return false;
    throw reason;
  }
}
