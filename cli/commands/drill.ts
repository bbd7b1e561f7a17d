import { resolve } from 'node:path';
import type { Command } from 'commander';
import { withoutSecrets } from '../../config/secrets.ts';
import type { Vault } from '../../core/vault.ts';
import { type IsolatedServer, isolatedPglite, isolatedPostgres } from '../../io/postgres/isolated.ts';
import { PLAIN_DUMP } from '../../io/postgres/pglite-dump.ts';
import { type DrillResult, drill } from '../../local/drill.ts';
import type { HistoryProof } from '../../local/sound-history.ts';
import { protocolNamed } from '../../protocols/registry.ts';
import { recordDrill } from '../../vault/drills.ts';
import { canonicalRecords, readHistory } from '../../vault/history.ts';
import { findSet } from '../../vault/sets.ts';
import { chainDrill } from '../chain-drill.ts';
import {
  BINARY_OPTION,
  CLIENT_OPTION,
  type ClientFlags,
  chainMeant,
  clientSettings,
  GENESIS_OPTION,
  genesisMeant,
} from '../chain-settings.ts';
import { loadConfig, loadedIfThere, openSigner } from '../context.ts';
import type { ExitCode } from '../exit-codes.ts';
import { holding } from '../holding.ts';
import { drillNouns, drillText } from '../render/drill.ts';
import { drillProgress } from '../render/drill-progress.ts';
import type { Act, Outcome, Shell } from '../shell.ts';
import { decryptionMeant, IDENTITY_OPTION, PUBLIC_KEY_OPTION, publicKeysMeant, type TrustFlags } from '../trust.ts';
import { VAULT_OPTION, vaultMeant } from '../vaults.ts';

export interface DrillFlags extends TrustFlags, ClientFlags {
  readonly set?: string;
  readonly node?: string;
  readonly identity?: string;
  readonly dir?: string;
}

export function define(command: Command, act: Act): void {
  command
    .option('--set <set>', 'node/number, a number, a slot, or latest (the default)')
    .option('--node <name>', 'where there are several')
    .option('--dir <folder>', 'where what is restored may use disk; default: the system’s folder for such files')
    .option(...IDENTITY_OPTION)
    .option(...VAULT_OPTION)
    .option(...PUBLIC_KEY_OPTION)
    .addOption(CLIENT_OPTION)
    .option(...GENESIS_OPTION)
    .option(...BINARY_OPTION)
    .action(act<DrillFlags>(drillVerb));
}

const EXIT: Readonly<Record<DrillResult['outcome'], ExitCode>> = { passed: 0, failed: 1, unknown: 3 };

export async function drillVerb(shell: Shell, flags: DrillFlags): Promise<Outcome> {
  const vault = await vaultMeant(shell, flags);
  const publicKeys = await publicKeysMeant(shell, flags);
  const chain = flags.set === undefined ? await chainMeant(vault, flags.node) : undefined;
  const proof = { vault, publicKeys, signal: shell.signal };
  const result = await (chain === undefined ? drillSet(shell, flags, proof) : drillChain(shell, flags, proof, chain));
  const record = await recorded(shell, vault, flags, result);
  return {
    exit: EXIT[result.outcome],
    code: `DRILL_${result.outcome.toUpperCase()}`,
    nouns: drillNouns(result, record),
    text: drillText(result, record),
  };
}

type Proof = HistoryProof & { readonly signal: AbortSignal };

async function drillSet(shell: Shell, flags: DrillFlags, proof: Proof): Promise<DrillResult> {
  const { vault } = proof;
  const decrypt = await decryptionMeant(shell, flags.identity);
  const { node, seq } = (await findSet(vault, flags.set ?? 'latest', flags.node)).manifest.value;
  const work = () =>
    drill(node, seq, {
      ...{ ...proof, protocolNamed, environment: shell.env, clock: shell.clock },
      ...drillProgress(shell),
      startServer: (contents) => startServer(shell, flags, contents),
      elapsed: () => performance.now(),
      ...(decrypt === undefined ? {} : { decrypt }),
    });
  // A stranger reads, and leaves nothing.
  return flags.vault === undefined ? holding(shell, vault, { node, seq }, 'drill', work) : work();
}

/** No hold is needed: retention leaves chains alone. */
async function drillChain(shell: Shell, flags: DrillFlags, proof: Proof, node: string): Promise<DrillResult> {
  const loaded = flags.vault === undefined ? await loadConfig(shell) : await loadedIfThere(shell);
  const newest = async () => canonicalRecords(await readHistory(proof.vault, node)).at(-1);
  const { client, ...settings } = await clientSettings(flags, shell.cwd, loaded, node, newest);
  return chainDrill(node, {
    ...proof,
    ...{ client, places: { ...settings, genesis: genesisMeant(settings) } },
    environment: loaded === undefined ? shell.env : withoutSecrets(shell.env, loaded.config),
    ...{ clock: shell.clock, elapsed: () => performance.now(), onStep: drillProgress(shell).onStep },
    ...(flags.dir !== undefined && { dir: resolve(shell.cwd, flags.dir) }),
  });
}

/** A stranger, who has no key of the network's to sign with, leaves no record. */
async function recorded(shell: Shell, vault: Vault, flags: DrillFlags, result: DrillResult): Promise<string | null> {
  if (flags.vault !== undefined) return null;
  return recordDrill(vault, await openSigner(await loadConfig(shell)), result);
}

/** Plain dumps are PGlite's, of a version that the system's PostgreSQL need not have. */
function startServer(
  { env, signal }: Shell,
  { dir }: DrillFlags,
  contents: readonly string[],
): Promise<IsolatedServer> {
  if (contents.includes(PLAIN_DUMP)) return isolatedPglite();
  return isolatedPostgres({ environment: env, signal, ...(dir === undefined ? {} : { dir }) });
}
