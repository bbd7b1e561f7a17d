import { sep } from 'node:path';
import { realPathOf } from '../local/real-path.ts';
import { readMembers } from '../vault/members.ts';
import type { OpenRegistry } from './members.ts';
import { UsageError } from './usage-error.ts';

/** Rejects with `UsageError`: a vault that is in a share would be given away, and a share in the vault be taken for its own. */
export async function refuseFolder({ vault, loaded }: OpenRegistry, id: string, folder: string): Promise<void> {
  const there = await realPathOf(folder);
  const { config, path } = loaded;
  for (const each of [config.vault.folder, config.secondVault?.folder]) {
    if (each === undefined) continue;
    const ofVault = await realPathOf(path(each));
    if (isWithin(there, ofVault) || isWithin(ofVault, there)) {
      throw new UsageError(
        `${folder} and the vault ${ofVault} lie one within the other`,
        'Name a folder apart from it.',
      );
    }
  }
  for (const { value } of (await readMembers(vault)).members) {
    const { member, state, destination } = value;
    if (member === id || state === 'left' || destination?.kind !== 'folder') continue;
    if ((await realPathOf(destination.path)) !== there) continue;
    throw new UsageError(`${folder} is the folder of ${member}`, 'Give each member a folder of its own.');
  }
}

const isWithin = (inner: string, outer: string): boolean =>
  inner === outer || inner.startsWith(outer.endsWith(sep) ? outer : `${outer}${sep}`);
