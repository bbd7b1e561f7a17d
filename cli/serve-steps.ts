import type { EthereumNode } from '../config/nodes.ts';
import { isDatabaseNode } from '../config/order.ts';
import { payloadNodeOf, payloadNodes } from '../config/payloads.ts';
import type { VaultLocation } from '../config/schema.ts';
import { Slot, setId } from '../core/names.ts';
import type { Vault } from '../core/vault.ts';
import { assertRoom, DiskTooFull } from '../local/free-space.ts';
import type { RetentionEnd, RunEnd, SlotSteps } from '../local/slot-work.ts';
import { copyVault } from '../vault/copy-vault.ts';
import { isSealed, newestSize } from '../vault/newest.ts';
import { isInHistory } from '../vault/newest-history.ts';
import { applyRetention, type KeepCounts, planRetention, type RetentionResult } from '../vault/retain.ts';
import { chainProgress } from './chain-backup.ts';
import { type Loaded, nodeNamed, openSigner } from './context.ts';
import { prepareNode } from './nodes.ts';
import { maxGapHours } from './own-snapshots.ts';
import { bytesText } from './render/units.ts';
import { runBackup, SlotRunning } from './run-backup.ts';
import { runChain } from './run-chain.ts';
import type { Shell } from './shell.ts';
import { UsageError } from './usage-error.ts';
import { openJanitor, openVault } from './vaults.ts';

export interface StepsWorld {
  readonly shell: Shell;
  readonly loaded: Loaded;
  readonly vault: Vault;
}

/** A slot's work on what the config names. */
export async function slotSteps(world: StepsWorld): Promise<SlotSteps> {
  const copy = await copier(world);
  const chainNamed = (name: string) => {
    const node = nodeNamed(world.loaded.config, name);
    return node.protocol === 'ethereum' ? node : undefined;
  };
  return {
    isSealed: async (node, slot) => {
      const chain = chainNamed(node);
      if (chain === undefined) return isSealed(world.vault, node, slot);
      const payloads = payloadNodeOf(chain);
      if (!(await isInHistory(world.vault, node, slot))) return false;
      return payloads === undefined || isSealed(world.vault, payloads.name, slot);
    },
    backup: (name, slot, signal) => {
      const chain = chainNamed(name);
      return chain === undefined ? backup(world, name, slot, signal) : backupChain(world, chain, slot, signal);
    },
    // A chain is one: every file of it is needed, from genesis on. What was captured after it expires like any set.
    retain: async (name, signal) => {
      const chain = chainNamed(name);
      const node = chain === undefined ? name : payloadNodeOf(chain)?.name;
      return node === undefined ? { done: [], damaged: [] } : retain(world, node, signal);
    },
    ...(copy && { copy }),
  };
}

async function backup(world: StepsWorld, name: string, slot: string, signal: AbortSignal): Promise<RunEnd> {
  const { shell, loaded } = world;
  const { clock, env } = shell;
  await makeRoom(world, name, signal);
  // Prepared anew: a secret may have changed since the last run.
  const prepared = await prepareNode(loaded, nodeNamed(loaded.config, name));
  const onCapture = (component: string, { kind }: { readonly kind: string }) => {
    if (kind !== 'progress') shell.note(`${name}: ${component} ${kind}`);
  };
  try {
    const request = { slot: Slot.parse(slot), reason: 'schedule' } as const;
    const { outcome, set, manifest } = await runBackup(loaded, prepared, request, { clock, env, signal, onCapture });
    if (outcome === 'already-sealed') return { outcome: 'already' };
    return { outcome, set, verdict: manifest.value.verdict.status === 'proven' ? 'proven' : 'unknown' };
  } catch (error) {
    if (error instanceof SlotRunning) return { outcome: 'running' };
    throw error;
  }
}

/** The chain, and then what its blocks hold only hashes of; also where an earlier attempt at the slot got only half way. */
async function backupChain(world: StepsWorld, node: EthereumNode, slot: string, signal: AbortSignal): Promise<RunEnd> {
  const exported = await exportChain(world, node, slot, signal);
  const payloads = payloadNodeOf(node);
  if (payloads === undefined || exported.outcome === 'running') return exported;
  const captured = await backup(world, payloads.name, slot, signal);
  if (exported.outcome === 'already' || captured.outcome !== 'sealed') return captured;
  return { ...captured, set: `${exported.set} and ${captured.set}` };
}

async function exportChain(
  { shell, loaded }: StepsWorld,
  node: EthereumNode,
  slot: string,
  signal: AbortSignal,
): Promise<RunEnd> {
  const told = chainProgress({ note: (line) => shell.note(`${node.name}: ${line}`) });
  try {
    const request = { slot: Slot.parse(slot), reason: 'schedule' } as const;
    const { outcome, manifest } = await runChain(loaded, node, request, {
      clock: shell.clock,
      warn: shell.warn,
      signal,
      ...told,
    });
    if (outcome === 'already-sealed') return { outcome: 'already' };
    // What is in a history was agreed on and verified block by block: there is no other way into it.
    return { outcome, set: setId(node.name, manifest.value.seq), verdict: 'proven' };
  } catch (error) {
    if (error instanceof SlotRunning) return { outcome: 'running' };
    throw error;
  }
}

/** Where the disk lacks room for the next set, what should have expired goes before the run, and not only after it. */
async function makeRoom(world: StepsWorld, name: string, signal: AbortSignal): Promise<void> {
  const { loaded, vault } = world;
  const { folder } = loaded.config.vault;
  if (folder === undefined) return;
  const lastBytes = await newestSize(vault, name);
  const check = () => assertRoom(loaded.path(folder), lastBytes);
  try {
    await check();
  } catch (error) {
    if (!(error instanceof DiskTooFull)) throw error;
    await retain(world, name, signal);
    await check();
  }
}

async function retain(world: StepsWorld, node: string, signal: AbortSignal): Promise<RetentionEnd> {
  const { vault: location, retention = {} } = world.loaded.config;
  const { damaged, ...result } = await expire(world, world.vault, location, node, retention, signal);
  return { done: resultLines(result), damaged };
}

/** Undefined: the config has no second vault. */
async function copier(world: StepsWorld): Promise<SlotSteps['copy']> {
  const { loaded, vault } = world;
  const { secondVault } = loaded.config;
  if (secondVault === undefined) return undefined;
  const second = await openVault(secondVault, loaded.path);
  if (second.url === vault.url) {
    throw new UsageError(`vault and secondVault are both ${vault.url}`, 'Give the second one a place of its own.');
  }
  let last: Promise<unknown> = Promise.resolve();
  return (signal) => {
    // All nodes share the vaults: one copy at a time, and the next finds little left to do.
    const copying = last.then(() => copyOnce(world, second, secondVault, signal));
    last = copying.catch(() => {});
    return copying;
  };
}

async function copyOnce(
  world: StepsWorld,
  second: Vault,
  location: VaultLocation,
  signal: AbortSignal,
): Promise<string[]> {
  const { objects, bytes } = await copyVault(world.vault, second, { signal });
  const lines = objects === 0 ? [] : [`${objects} objects copied, ${bytesText(bytes)}`];
  // From a bucket nothing is deleted here: this machine should not have that right. A rule of the bucket does it.
  if (location.folder === undefined) return lines;
  const { config } = world.loaded;
  for (const { name } of [...config.nodes.filter(isDatabaseNode), ...payloadNodes(config)]) {
    // With nothing to keep by, nothing new expires: only what has expired in the first vault goes here too.
    lines.push(...resultLines(await expire(world, second, location, name, {}, signal)));
  }
  return lines;
}

async function expire(
  { shell: { clock }, loaded }: StepsWorld,
  vault: Vault,
  location: VaultLocation,
  node: string,
  keep: KeepCounts,
  signal: AbortSignal,
): Promise<RetentionResult & { readonly damaged: string[] }> {
  const signer = await openSigner(loaded);
  const publicKeys = [await signer.publicKeyPem()];
  const { timeZone } = loaded.config;
  const plan = await planRetention({ vault, node, keep, timeZone, publicKeys, now: clock.now(), maxGapHours });
  const janitor = await openJanitor(location, loaded.path);
  const result = await applyRetention(plan, { vault, janitor, signer, clock }, signal);
  return { ...result, damaged: plan.damaged.map(({ set, key }) => `${set.stored.id}: ${key} is missing or cut`) };
}

const resultLines = ({ expired, bytes, swept }: RetentionResult): string[] => [
  ...(expired.length === 0 ? [] : [`${expired.join(', ')} expired`]),
  ...(bytes === 0 ? [] : [`${bytesText(bytes)} of expired sets freed`]),
  ...(swept === 0 ? [] : [`${swept} leftover objects of broken-off runs removed`]),
];
