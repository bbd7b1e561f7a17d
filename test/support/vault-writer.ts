/**
 * A process of its own that writes into a folder vault until it is killed: `node vault-writer.ts FOLDER`. It prints a
 * line before each object; the object under key K is the letter of K's number, 3 MB of it.
 */
import { folderVault } from '../../local/folder-vault.ts';

async function* body(letter: string): AsyncGenerator<Uint8Array> {
  for (let chunk = 0; chunk < 30; chunk += 1) yield Buffer.alloc(100_000, letter);
}

const vault = folderVault(process.argv[2] ?? '');
for (let number = 0; ; number += 1) {
  process.stdout.write(`${number}\n`);
  await vault.writeOnce(`run/${number}/dump`, body(String(number % 10)));
  await vault.putOnce(`run/${number}/receipt`, Buffer.from(String(number)));
}
