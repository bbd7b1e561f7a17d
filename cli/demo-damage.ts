import { cp, mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { slotAt } from '../core/schedule.ts';
import { VALIDATOR_NODE } from '../demo/config.ts';
import { folderVault } from '../local/folder-vault.ts';
import type { Protocol } from '../protocols/protocol.ts';
import { protocolNamed } from '../protocols/registry.ts';
import { findSet } from '../vault/sets.ts';
import { verifyVerb } from './commands/verify.ts';
import { loadConfig, nodeNamed } from './context.ts';
import { type Dumper, PG_DUMP } from './database-capture.ts';
import { DEMO_FILES, type DemoWorld } from './demo-world.ts';
import { prepareNode } from './nodes.ts';
import { runBackup } from './run-backup.ts';
import type { Outcome, Shell } from './shell.ts';

/** What was done to a vault, and what `verify` says of it. */
export interface Damage {
  readonly what: string;
  readonly found: Outcome;
}

/** Turns over one bit in the middle of the participant's dump, in a copy of the vault. */
export async function flippedBit({ shell }: DemoWorld): Promise<Damage> {
  return inScratch(async (vault) => {
    await cp(join(shell.cwd, DEMO_FILES.vault), vault, { recursive: true });
    const { manifest } = await findSet(folderVault(vault), 'latest');
    const [artifact] = manifest.value.components.find(({ role }) => role === 'participant')?.artifacts ?? [];
    if (artifact === undefined) throw new TypeError('the set holds no participant');
    const at = Math.floor(artifact.size / 2);
    await flip(join(vault, artifact.key), at);
    return { what: `one bit of byte ${at} of ${artifact.key}`, found: await proved(shell, vault) };
  });
}

/**
 * Takes a set with the databases in the wrong order, the app going on in between, as somebody would whose tool believes
 * in that order; its own seal sees nothing wrong.
 */
export async function reversedPair({ shell, network, dumper = PG_DUMP }: DemoWorld): Promise<Damage> {
  return inScratch(async (vault) => {
    const loaded = await loadConfig(shell);
    const elsewhere = { ...loaded, config: { ...loaded.config, vault: { folder: vault } } };
    const prepared = await prepareNode(elsewhere, nodeNamed(loaded.config, VALIDATOR_NODE));
    const { clock, env, signal } = shell;
    const later: Dumper['dump'] = async (...dump) => {
      await network.load.until(network.load.ingested + 1n);
      return dumper.dump(...dump);
    };
    const world = { clock, env, signal, onCapture: () => {}, protocolNamed: believed };
    const request = { slot: slotAt(clock.now()), reason: 'manual' } as const;
    await runBackup(elsewhere, prepared, request, { ...world, dumper: { ...dumper, dump: later } });
    return { what: 'the participant first, then the app', found: await proved(shell, vault) };
  });
}

const believed = (name: string): Protocol => {
  const real = protocolNamed(name);
  return { ...real, order: real.order.map(([before, after]) => [after, before] as const), laws: [] };
};

const proved = (shell: Shell, vault: string): Promise<Outcome> =>
  verifyVerb(shell, { vault, publicKey: [DEMO_FILES.publicKey], all: true }, []);

async function inScratch<T>(work: (vault: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'ledgerhold-demo-'));
  try {
    return await work(join(folder, 'vault'));
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function flip(path: string, at: number): Promise<void> {
  const file = await open(path, 'r+');
  try {
    const { buffer } = await file.read(Buffer.alloc(1), 0, 1, at);
    await file.write(Buffer.from([(buffer[0] ?? 0) ^ 1]), 0, 1, at);
  } finally {
    await file.close();
  }
}
