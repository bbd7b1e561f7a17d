import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LedgerholdError } from '../core/errors.ts';
import type { Manifest, Reason } from '../core/manifest.ts';
import type { Slot } from '../core/names.ts';
import type { Clock } from '../core/ports.ts';
import type { Vault } from '../core/vault.ts';
import { backupRuntime } from '../local/backup-runtime.ts';
import { type CaptureEvent, localCaptures } from '../local/captures.ts';
import { holderGone, thisHolder } from '../local/holder.ts';
import type { Protocol } from '../protocols/protocol.ts';
import { protocolNamed } from '../protocols/registry.ts';
import { readManifest, type StoredManifest } from '../vault/sets.ts';
import { capturesOf } from './captures.ts';
import { type Loaded, openEncryption, openSigner } from './context.ts';
import type { Dumper } from './database-capture.ts';
import { type PreparedNode, runOf } from './nodes.ts';
import { PACKAGE_ROOT } from './package-root.ts';
import { openVault } from './vaults.ts';

export interface BackupRequest {
  readonly slot: Slot;
  readonly reason: Reason;
}

export interface BackupWorld {
  readonly clock: Clock;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
  readonly onCapture: (component: string, event: CaptureEvent) => void;
  /** Default: `pg_dump`. */
  readonly dumper?: Dumper;
  /** Default: the registry's. Another one shows what a wrong belief leads to. */
  readonly protocolNamed?: (name: string) => Protocol;
}

export interface BackupResult {
  /** `already-sealed`: an earlier run has made this slot's set; nothing was done. */
  readonly outcome: 'sealed' | 'already-sealed';
  readonly set: string;
  readonly manifest: StoredManifest;
  readonly vault: Vault;
}

/** Another run is at this slot. */
export class SlotRunning extends LedgerholdError {
  override readonly name = 'SlotRunning';
  readonly kind = 'external';
}

/** A part of the package that its build writes is not there. */
export class NotBuilt extends LedgerholdError {
  override readonly name = 'NotBuilt';
  readonly kind = 'usage';
}

/** One run of the backup workflow in this process. Rejects with what ended it; then no set has appeared. */
export async function runBackup(
  loaded: Loaded,
  prepared: PreparedNode,
  request: BackupRequest,
  { clock, env, signal, onCapture, dumper, ...world }: BackupWorld,
): Promise<BackupResult> {
  const run = runOf(loaded, prepared, request.slot, request.reason);
  const vault = await openVault(loaded.config.vault, loaded.path);
  const [signer, encryption] = [await openSigner(loaded), await openEncryption(loaded)];
  const captures = capturesOf(loaded, prepared, { vault, encryption, clock, env, ...(dumper && { dumper }) });
  const workflow = backupRuntime(await workflowDefinition('backup'), {
    ...{ vault, clock, signer, holderGone, protocolNamed, ...world },
    captures: localCaptures(captures, onCapture),
  });
  const { claimSlot, sealManifest } = await workflow.backup(run, { executionId: thisHolder(), signal });
  if (claimSlot.outcome === 'running') throw slotRunning(request.slot, claimSlot.fence);
  const set = sealManifest?.set ?? claimSlot.set;
  const manifest = await readManifest(vault, run.node, Number(set.split('/')[1]));
  if (manifest === undefined) throw new Error(`the set ${set} was sealed, and its manifest is not to be found`);
  return { outcome: sealManifest === undefined ? 'already-sealed' : 'sealed', set, manifest, vault };
}

/** As the build has written it. Rejects with `NotBuilt`. */
export async function workflowDefinition(name: 'backup' | 'chain'): Promise<unknown> {
  const file = join(PACKAGE_ROOT, 'dist', 'workflows', `${name}.asl.json`);
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    const remedy = 'Run `npm run build`; in an installed package, install it again.';
    throw new NotBuilt(`the workflow ${file} cannot be read`, remedy, { cause });
  });
  return JSON.parse(text);
}

export const slotRunning = (slot: Slot, fence: number): SlotRunning =>
  new SlotRunning(
    `another run is at slot ${slot} (attempt ${fence})`,
    'Wait for it: `ledgerhold status` shows it. If its process is gone, its lease ends within 15 minutes.',
  );

/** Why a sealed set proves less than it should. */
export const doubts = ({ verdict }: Manifest): readonly string[] =>
  verdict.status === 'unknown' ? verdict.reasons : [];
