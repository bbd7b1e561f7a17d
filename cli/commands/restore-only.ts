import { randomUUID } from 'node:crypto';
import { type FileHandle, link, lstat, open, rm } from 'node:fs/promises';
import { resolve } from 'node:path';
import { suggestion } from '../../core/nearest.ts';
import { refuseUnsound, said } from '../../local/soundness.ts';
import { protocolNamed } from '../../protocols/registry.ts';
import { openArtifact } from '../../vault/artifact.ts';
import { findSet } from '../../vault/sets.ts';
import { type ProvedSet, type ProveOptions, proveOne } from '../../vault/sound-set.ts';
import { onlyText } from '../render/restore.ts';
import { newestUsable } from '../restore-sets.ts';
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
  const set = await setMeant(shell, flags, { vault, publicKeys, protocolNamed, signal: shell.signal });
  const { set: id, status } = set.report;
  const artifact = soundArtifact(set, only);
  if (status !== 'proven') shell.warn(`${id} is not proven here: ${said(set, 'unknown').join('; ')}`);
  const decrypt = await decryptionMeant(shell, flags.identity);
  const file = resolve(shell.cwd, to);
  await writeSecretly(file, openArtifact(vault, artifact, decrypt), shell.signal);
  const nouns = { set: id, component: only, file, bytes: artifact.plain.size, content: artifact.content };
  return { exit: 0, code: 'WRITTEN', nouns, text: onlyText(id, only, file, artifact) };
}

/** The one named, or the newest that can be used: each one passed over is told. */
async function setMeant(shell: Shell, { set, node }: OnlyFlags, options: ProveOptions): Promise<ProvedSet> {
  if (set !== undefined) {
    const { value } = (await findSet(options.vault, set, node)).manifest;
    return proveOne(value.node, value.seq, options);
  }
  const newest = await newestUsable(node, shell.clock.now(), options);
  for (const { id, why } of newest.passedOver) shell.warn(`${id} is passed over: ${why.join('; ')}`);
  return proveOne(newest.node, newest.seq, options);
}

function soundArtifact(set: ProvedSet, only: string) {
  const { report, proof } = set;
  refuseUnsound(set);
  const artifact = proof.artifacts.find(({ component }) => component === only)?.artifact;
  if (artifact !== undefined) return artifact;
  const names = proof.artifacts.map(({ component }) => component);
  throw new UsageError(`set ${report.set} holds no ${only}`, suggestion(only, names));
}

/**
 * Readable by its owner alone; under its name whole or not at all, even if we are killed; never in place of another
 * file. Rejects with `FileExists` or `FileNotWritten`.
 */
export async function writeSecretly(
  path: string,
  bytes: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): Promise<void> {
  if (await exists(path)) throw fileExists(path);
  const unfinished = `${path}.unfinished-${randomUUID()}`;
  const file = await open(unfinished, 'wx', 0o600).catch((cause: unknown) => {
    throw new FileNotWritten(`${path} cannot be written`, 'Name another file with --to.', { cause });
  });
  try {
    await fill(file, bytes, signal);
    await link(unfinished, path).catch((cause: NodeJS.ErrnoException) => {
      if (cause.code === 'EEXIST') throw fileExists(path, { cause });
      throw new FileNotWritten(`${path} cannot be given its name`, 'Name a file on another file system with --to.', {
        cause,
      });
    });
  } finally {
    await rm(unfinished, { force: true });
  }
}

/** Looked for first, so that nothing is decrypted in vain; what cannot be told here is told by `open` and `link`. */
const exists = (path: string): Promise<boolean> =>
  lstat(path).then(
    () => true,
    () => false,
  );

const fileExists = (path: string, options?: ErrorOptions) =>
  new FileExists(`${path} exists; it was left as it is`, 'Name another file with --to.', options);

async function fill(file: FileHandle, bytes: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<void> {
  try {
    for await (const piece of bytes) {
      signal.throwIfAborted();
      await file.writeFile(piece);
    }
    await file.sync();
  } finally {
    await file.close();
  }
}
