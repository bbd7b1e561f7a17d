import { open, rm } from 'node:fs/promises';
import { resolve } from 'node:path';
import { suggestion } from '../../core/nearest.ts';
import { refuseUnsound, said } from '../../local/soundness.ts';
import { protocolNamed } from '../../protocols/registry.ts';
import { openArtifact } from '../../vault/artifact.ts';
import { findSet } from '../../vault/sets.ts';
import { type ProvedSet, proveOne } from '../../vault/sound-set.ts';
import { onlyText } from '../render/restore.ts';
import type { Outcome, Shell } from '../shell.ts';
import { decryptionMeant, publicKeysMeant, type TrustFlags } from '../trust.ts';
import { UsageError } from '../usage-error.ts';
import { vaultMeant } from '../vaults.ts';
import { FileExists, FileNotWritten } from './init.ts';

export interface OnlyFlags extends TrustFlags {
  readonly only?: string;
  readonly to?: string;
  readonly set?: string;
  readonly node?: string;
  readonly identity?: string;
}

/** Writes one component's captured bytes to a file: what `pg_restore` takes, or the identities. Restores nothing. */
export async function restoreOnly(shell: Shell, flags: OnlyFlags): Promise<Outcome> {
  const { only, to } = flags;
  if (only === undefined || to === undefined) {
    throw new UsageError('restore needs --only and --to, or plan, or apply', 'See `ledgerhold restore --help`.');
  }
  const vault = await vaultMeant(shell, flags);
  const publicKeys = await publicKeysMeant(shell, flags);
  const found = await findSet(vault, flags.set ?? 'latest', flags.node);
  const { node, seq } = found.manifest.value;
  const set = await proveOne(node, seq, { vault, publicKeys, protocolNamed, signal: shell.signal });
  const artifact = soundArtifact(set, only);
  if (set.report.status !== 'proven') shell.warn(`${found.id} is not proven here: ${said(set, 'unknown').join('; ')}`);
  const decrypt = await decryptionMeant(shell, flags.identity);
  const file = resolve(shell.cwd, to);
  await writeSecretly(file, openArtifact(vault, artifact, decrypt), shell.signal);
  const nouns = { set: found.id, component: only, file, bytes: artifact.plain.size, content: artifact.content };
  return { exit: 0, code: 'WRITTEN', nouns, text: onlyText(found.id, only, file, artifact) };
}

function soundArtifact(set: ProvedSet, only: string) {
  const { report, proof } = set;
  refuseUnsound(set);
  const artifact = proof.artifacts.find(({ component }) => component === only)?.artifact;
  if (artifact !== undefined) return artifact;
  const names = proof.artifacts.map(({ component }) => component);
  throw new UsageError(`set ${report.set} holds no ${only}`, suggestion(only, names));
}

/** Readable by its owner alone, whole or not there at all; never in place of another file. */
async function writeSecretly(path: string, bytes: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<void> {
  const file = await open(path, 'wx', 0o600).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'EEXIST')
      throw new FileExists(`${path} exists; it was left as it is`, 'Name another file with --to.');
    throw new FileNotWritten(`${path} cannot be written`, 'Name another file with --to.', { cause });
  });
  try {
    for await (const piece of bytes) {
      signal.throwIfAborted();
      await file.writeFile(piece);
    }
    await file.sync();
    await file.close();
  } catch (error) {
    await file.close().catch(() => {});
    await rm(path, { force: true });
    throw error;
  }
}
