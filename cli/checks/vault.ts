import { assertWritable, freeBytes } from '../../local/disk.ts';
import { ForeignVault, readVaultFormat } from '../../vault/format.ts';
import { FORMAT_KEY } from '../../vault/layout.ts';
import { newestSize } from '../../vault/newest.ts';
import { bytesText } from '../render/units.ts';
import { type Check, type CheckContext, type Finding, fail, ok, warn } from './check.ts';

/** The vault answers, is ours, and holds to write-once. */
export const vaultCheck: Check = {
  id: 'vault',
  title: 'vault',
  run: async ({ vault, loaded }) => {
    const { folder } = loaded.config.vault;
    if (folder !== undefined) await assertWritable(loaded.path(folder));
    const format = await readVaultFormat(vault);
    if (format === undefined) return [emptyVault(vault.url, folder !== undefined)];
    if (format.network !== loaded.config.network) {
      throw new ForeignVault(
        `the vault ${vault.url} belongs to network ${format.network}`,
        'Name another vault, or correct `network`.',
      );
    }
    // Its own bytes, to its own key: a store that holds to the rule refuses them, and one that does not loses nothing.
    const bytes = (await vault.get(FORMAT_KEY)) ?? new Uint8Array();
    return (await vault.putOnce(FORMAT_KEY, bytes))
      ? [
          fail(
            `${vault.url} overwrites what is there: it does not hold to write-once`,
            'Use a store with conditional writes.',
          ),
        ]
      : [ok(`${vault.url} answers, is ours, can be written to, and refuses to overwrite`)];
  },
};

const emptyVault = (url: string, isWritable: boolean): Finding =>
  isWritable
    ? ok(`${url} is empty, and can be written to`)
    : warn(`${url} is empty: whether it can be written to shows at the first run`, 'Run `ledgerhold backup`.');

/** A folder has room for the next set. */
export const diskCheck: Check = {
  id: 'disk',
  title: 'free disk',
  run: async (context) => {
    const { folder } = context.loaded.config.vault;
    if (folder === undefined) return [];
    const free = await freeBytes(context.loaded.path(folder));
    const last = await lastSetBytes(context);
    const room = `${bytesText(free)} free for the vault`;
    if (last === undefined) return [ok(`${room}; what a set needs is known after the first`)];
    const text = `${room}; the newest sets have ${bytesText(last)}`;
    if (free < last) return [fail(text, 'Make room, move the vault, or keep fewer sets (`retention`).')];
    return [free < last * 3 ? warn(text, 'Three more sets do not fit: make room, or keep fewer sets.') : ok(text)];
  },
};

/** Bytes of the newest set of each node, together; undefined if there is none. */
async function lastSetBytes({ vault, nodes }: CheckContext): Promise<number | undefined> {
  let bytes: number | undefined;
  for (const { node } of nodes) {
    const size = await newestSize(vault, node.name);
    if (size !== undefined) bytes = (bytes ?? 0) + size;
  }
  return bytes;
}
