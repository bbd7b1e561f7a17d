import { mkdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { memberPrefix } from '../core/names.ts';
import { DEMO_NETWORK } from '../demo/config.ts';
import { deliver } from './commands/deliver.ts';
import { verifyVerb } from './commands/verify.ts';
import type { Show } from './demo-chain.ts';
import { DEMO_FILES, DEMO_FOLDER } from './demo-world.ts';
import { membersAdd, membersResume } from './member-acts.ts';
import type { Outcome, Shell } from './shell.ts';

const FIRST = ['bank-a', 'bank-b'] as const;
const LATE = 'bank-c';

/** What each part of the members' ended with. */
export interface MembersShown {
  readonly away: Outcome;
  readonly whole: Outcome;
  /** By member. */
  readonly verified: Readonly<Record<string, Outcome>>;
}

const folderOf = (member: string): string => `${DEMO_FOLDER}/members/${member}`;

/** Where a member's share lies: a vault of its own. */
export const shareOf = (member: string): string => `${folderOf(member)}/${memberPrefix(DEMO_NETWORK, member)}`;

async function enlist(shell: Shell, show: Show, member: string): Promise<void> {
  await mkdir(join(shell.cwd, folderOf(member)), { recursive: true });
  const flags = { folder: `./members/${member}`, deliver: true };
  await show(`members: ${member} registers a folder of its own, which is checked`, 0, () =>
    membersAdd(shell, flags, [member]),
  );
}

/** The first ones join, and are given what there is. */
export async function showMembersJoin(shell: Shell, show: Show): Promise<void> {
  for (const member of FIRST) await enlist(shell, show, member);
  await show('deliver: every file of the chain, read once for both', 0, () => deliver(shell, {}));
}

/** One fails while the chain has grown, and catches up; one joins late, and is filled; each proves what it has. */
export async function showMembers(shell: Shell, show: Show): Promise<MembersShown> {
  const [, failing] = FIRST;
  const [place, away] = [join(shell.cwd, folderOf(failing)), join(shell.cwd, `${folderOf(failing)}-away`)];
  await rename(place, away);
  const failed = await show(`deliver: the same while the disk of ${failing} is away`, 5, () => deliver(shell, {}));
  await rename(away, place);
  await enlist(shell, show, LATE);
  await show(`members: the disk of ${failing} is back`, 0, () => membersResume(shell, {}, [failing]));
  const whole = await show(`deliver: ${failing} catches up, and ${LATE} is given all of it`, 0, () =>
    deliver(shell, {}),
  );
  const verified: Record<string, Outcome> = {};
  for (const member of [...FIRST, LATE]) {
    const share = { vault: shareOf(member), publicKey: [DEMO_FILES.publicKey], all: true };
    verified[member] = await show(`verify: ${member} proves its own files, with the public key alone`, 0, () =>
      verifyVerb(shell, share, []),
    );
  }
  return { away: failed, whole, verified };
}
