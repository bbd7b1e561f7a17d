import { link, mkdir, open, readFile, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import pLimit from 'p-limit';
import { openDiskThreads } from '../../io/disk-threads.ts';
import { folderVault } from '../../local/folder-vault.ts';
import { MemberFolders, SHARED } from './member-folders.ts';
import { timed } from './rounds.ts';

/** As many at once as keep the disk busy. */
const OBJECTS_AT_ONCE = 8;

/** One measurement in a process of its own, as the peer has one: `ours` or `limit`, a vault, a folder, members’ names. */
const [kind, source = '', sinks = '', ...names] = process.argv.slice(2);
openDiskThreads(process.env);
const vault = folderVault(source);
const keys = (await Array.fromAsync(vault.list(''))).map(({ key }) => key).filter((key) => SHARED.test(key));
const members = new MemberFolders(vault, sinks, names);
if (kind === 'ours') await members.join();
const before = process.cpuUsage();
const taken = await timed(() => (kind === 'ours' ? deliver() : readOnceWriteAll()));
const { user, system } = process.cpuUsage(before);
console.log(JSON.stringify({ taken, processors: (user + system) / 1_000_000 }));

async function deliver(): Promise<void> {
  const ends = await members.deliver();
  // More: a first receipt brings its signer's key into the vault, for whoever is still on the way.
  if (ends.some(({ outcome, objects }) => outcome !== 'whole' || objects < keys.length)) {
    throw new Error(`not everything was delivered: ${JSON.stringify(ends)}`);
  }
}

/**
 * What no delivery can do without: each object is read once, and written for each member to a temporary name, synced,
 * linked to its own, and the entry in its folder synced. Nothing is hashed, looked for or recorded.
 */
async function readOnceWriteAll(): Promise<void> {
  const limit = pLimit(OBJECTS_AT_ONCE);
  await Promise.all(
    keys.map((key) =>
      limit(async () => {
        const bytes = await readFile(join(source, key));
        await Promise.all(names.map((name) => writeDurably(join(sinks, name, key), bytes)));
      }),
    ),
  );
}

async function writeDurably(path: string, bytes: Buffer): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const file = await open(`${path}.new`, 'wx');
  await file.writeFile(bytes);
  await file.sync();
  await file.close();
  await link(`${path}.new`, path);
  await unlink(`${path}.new`);
  const folder = await open(dirname(path));
  await folder.sync();
  await folder.close();
}
