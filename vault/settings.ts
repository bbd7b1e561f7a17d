import { type ChainSettings, type CurrentSettings, StoredSettings } from '../core/chain-settings.ts';
import { Instant, type NetworkName, NodeName } from '../core/names.ts';
import type { Clock } from '../core/ports.ts';
import type { Vault } from '../core/vault.ts';
import { type Document, NotADocument, putDocument, readDocument } from './documents.ts';
import { settingsKey, settingsPrefix } from './layout.ts';
import { newestNumber } from './numbered.ts';

/** The newest version of a chain's settings; undefined: nobody has set any. Rejects with `NotADocument`. */
export async function readSettings(vault: Vault, node: string): Promise<Document<StoredSettings> | undefined> {
  const n = await newestNumber(vault, { prefix: settingsPrefix(node), keyOf: (at) => settingsKey(node, at) });
  if (n === 0) return undefined;
  const key = settingsKey(node, n);
  const found = await readDocument(vault, key, StoredSettings);
  const before = n === 1 ? undefined : await readDocument(vault, settingsKey(node, n - 1), StoredSettings);
  const fits = found?.value.node === node && found.value.n === n && found.value.previous === (before?.sha256 ?? null);
  if (found !== undefined && fits) return found;
  throw new NotADocument(
    `${key} is missing, moved, or does not follow the version before it`,
    'Compare the object with another copy of the vault.',
  );
}

/** What holds: the newest version, and before the first what the configuration says. */
export async function currentSettings(vault: Vault, node: string, initial: ChainSettings): Promise<CurrentSettings> {
  const stored = await readSettings(vault, node);
  const { enabled, timesADay } = stored?.value ?? initial;
  return { enabled, timesADay, since: stored?.value.at ?? null };
}

export interface SettingsPorts {
  readonly vault: Vault;
  readonly clock: Clock;
  readonly network: NetworkName;
  /** Who sets. */
  readonly by: string;
}

/**
 * Writes a version with the change; of several at once each is made of what the one before left. One that changes
 * nothing is not written. Resolves to what holds then.
 */
export async function setChain(
  { vault, clock, network, by }: SettingsPorts,
  node: string,
  initial: ChainSettings,
  change: { readonly [Field in keyof ChainSettings]?: ChainSettings[Field] | undefined },
): Promise<StoredSettings | undefined> {
  for (;;) {
    const before = await readSettings(vault, node);
    const { enabled, timesADay } = before?.value ?? initial;
    const after = { enabled: change.enabled ?? enabled, timesADay: change.timesADay ?? timesADay };
    if (after.enabled === enabled && after.timesADay === timesADay) return before?.value;
    const n = (before?.value.n ?? 0) + 1;
    const version: StoredSettings = {
      ...{ format: 'ledgerhold/settings/1', network, node: NodeName.parse(node), n, previous: before?.sha256 ?? null },
      ...{ at: Instant.parse(clock.now().toISOString()), by, ...after },
    };
    const { won } = await putDocument(vault, settingsKey(node, n), version);
    if (won) return version;
  }
}
