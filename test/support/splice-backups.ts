import { resolve } from 'node:path';
import { capturesOf } from '../../cli/captures.ts';
import type { Loaded } from '../../cli/context.ts';
import { type PreparedNode, prepareNode, runOf } from '../../cli/nodes.ts';
import { parseConfig } from '../../config/parse.ts';
import { Slot } from '../../core/names.ts';
import type { Encryption } from '../../core/ports.ts';
import type { Vault } from '../../core/vault.ts';
import { type BackupState, backupRuntime } from '../../local/backup-runtime.ts';
import { type LocalCapture, localCaptures } from '../../local/captures.ts';
import { holderGone, thisHolder } from '../../local/holder.ts';
import type { Protocol } from '../../protocols/protocol.ts';
import { protocolNamed } from '../../protocols/registry.ts';
import type { Keys } from './toy-sets.ts';
import { emitted } from './workflows.ts';

export interface BackupWorld {
  /** The text of a ledgerhold.yaml; what it says of vault, keys and encryption is not used. */
  readonly yaml: string;
  /** What `{ env: NAME }` in it finds. */
  readonly env: Readonly<Record<string, string>>;
  readonly vault: Vault;
  readonly keys: Keys;
  readonly encryption: Encryption;
  /** Instead of the registry's, by the same name: what a faulty backup might believe. */
  readonly protocol?: Protocol;
  /** Done before the capture of a component begins. */
  readonly before?: (component: string) => Promise<void>;
}

const clock = { now: () => new Date() };

export async function loadedFrom({
  yaml,
  env,
}: Pick<BackupWorld, 'yaml' | 'env'>): Promise<{ loaded: Loaded; prepared: PreparedNode }> {
  const secrets = { env, readFile: async () => '', secretsManager: async () => '' };
  const config = parseConfig('test.yaml', yaml);
  const loaded: Loaded = { file: 'test.yaml', text: yaml, config, path: (path) => resolve(path), secrets };
  const [node] = config.nodes;
  if (node === undefined) throw new Error('the config has no node');
  return { loaded, prepared: await prepareNode(loaded, node) };
}

/** How each component is captured, as the CLI makes it. */
export async function capturesFrom(world: BackupWorld) {
  const { loaded, prepared: real } = await loadedFrom(world);
  const prepared = { ...real, protocol: world.protocol ?? real.protocol };
  const captureOf = capturesOf(loaded, prepared, {
    ...{ vault: world.vault, encryption: world.encryption, clock, env: process.env },
  });
  const captures = (component: string): LocalCapture => {
    const capture = captureOf(component);
    const take: LocalCapture['take'] = async (order, watch) => {
      await world.before?.(component);
      return capture.take(order, watch);
    };
    return { ...capture, take };
  };
  return { loaded, prepared, captures };
}

/** One run of the real workflow in this process. */
export async function backupInProcess(world: BackupWorld, slot: string): Promise<BackupState> {
  const { loaded, prepared, captures } = await capturesFrom(world);
  const ports = {
    ...{ vault: world.vault, signer: world.keys.signer, clock, holderGone },
    protocolNamed: (name: string) => world.protocol ?? protocolNamed(name),
    captures: localCaptures(captures, () => {}),
  };
  const run = runOf(loaded, prepared, Slot.parse(slot), 'manual');
  return backupRuntime(emitted('backup'), ports).backup(run, { executionId: thisHolder() });
}
