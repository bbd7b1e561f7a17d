import type { Command } from 'commander';
import type { Vault } from '../../core/vault.ts';
import { protocolNamed } from '../../protocols/registry.ts';
import { findSet } from '../../vault/sets.ts';
import { type VerifyReport, verify, withFindings } from '../../vault/verify.ts';
import { proveDeep } from '../../vault/verify-deep.ts';
import { deepChain } from '../deep-chain.ts';
import type { ExitCode } from '../exit-codes.ts';
import { verifyNouns, verifyText } from '../render/verify.ts';
import type { Act, Outcome, Shell } from '../shell.ts';
import { decryptionMeant, IDENTITY_OPTION, PUBLIC_KEY_OPTION, publicKeysMeant, type TrustFlags } from '../trust.ts';
import { UsageError } from '../usage-error.ts';
import { VAULT_OPTION, vaultMeant } from '../vaults.ts';
import { beginVisit, type VisitFlags } from '../visit.ts';

export interface VerifyFlags extends TrustFlags, VisitFlags {
  readonly all?: boolean;
  readonly quick?: boolean;
  readonly deep?: boolean;
  readonly chainFiles?: boolean;
  readonly identity?: string;
  readonly expectHead?: string;
}

export function define(command: Command, act: Act): void {
  command
    .argument('[set...]', 'node/number, a number, a slot, or latest; default: the newest of each node')
    .option('--all', 'every set; without sets, as at a member, every file is read anyway')
    .option('--quick', 'structure only: the artifacts’ bytes are not read')
    .option('--no-chain-files', 'chain files are not looked for, all else is proved: for a member that takes none')
    .option('--deep', 'also open every artifact and read the positions out of it again')
    .option(...IDENTITY_OPTION)
    .option('--expect-head <sha256>', 'a manifest that must be there; finds a removed tail')
    .option(
      '--remember <file>',
      'what this visit saw, for the next one: finds a history that was taken back; default: none',
    )
    .option('--compare <other...>', 'another member’s vault, or the file that --remember made of it: finds a fork')
    .option(...VAULT_OPTION)
    .option(...PUBLIC_KEY_OPTION)
    .action(act<VerifyFlags>(verifyVerb));
}

/**
 * Exit 0 proven, 1 violated, 3 unknown; `STRUCTURE_ONLY` says that the bytes were not looked at, `WITHOUT_CHAIN_FILES` that
 * chain files were not looked for.
 */
export async function verifyVerb(shell: Shell, flags: VerifyFlags, wanted: readonly string[]): Promise<Outcome> {
  if (flags.quick === true && flags.deep === true) {
    throw new UsageError('--quick and --deep exclude each other', 'Choose one.');
  }
  if (flags.chainFiles === false && (flags.quick === true || flags.deep === true)) {
    throw new UsageError('--no-chain-files goes with neither --quick nor --deep', 'Choose one.');
  }
  if (flags.all === true && wanted.length > 0) {
    throw new UsageError('--all and a set exclude each other', 'Name sets, or give --all.');
  }
  if (flags.expectHead !== undefined && !/^[0-9a-f]{64}$/.test(flags.expectHead)) {
    const remedy = 'Give the 64 hexadecimal digits that an earlier `ledgerhold verify` printed as head.';
    throw new UsageError(`"${flags.expectHead}" is no digest of a manifest`, remedy);
  }
  const vault = await vaultMeant(shell, flags);
  const publicKeys = await publicKeysMeant(shell, flags);
  const visit = await beginVisit(shell, flags, { vault, publicKeys, sets: wanted });
  const decrypt = await decryptionMeant(shell, flags.identity);
  const onBytes = counter(shell);
  const common = { vault, protocolNamed, signal: shell.signal, onBytes };
  const proof = await verify({
    ...common,
    publicKeys,
    ...(await setsMeant(vault, flags, wanted)),
    depth: flags.quick === true ? 'structure' : 'bytes',
    chainFiles: flags.chainFiles !== false,
    ...(flags.deep === true && {
      deep: (proof, manifest) => proveDeep(proof, manifest, { ...common, ...(decrypt && { decrypt }) }),
      deepChain: deepChain(shell, vault),
    }),
    ...(flags.expectHead !== undefined && { expectHead: flags.expectHead }),
  });
  const { findings, nouns, text } = await visit.end(proof);
  const report = withFindings(proof, findings);
  return {
    exit: EXIT[report.status],
    code: codeOf(report, flags),
    nouns: { ...verifyNouns(report, vault.url), ...nouns },
    text: verifyText(report, vault.url, { ...flags, told: text }),
  };
}

const EXIT: Readonly<Record<VerifyReport['status'], ExitCode>> = { proven: 0, violated: 1, unknown: 3 };

function codeOf({ status }: VerifyReport, { quick, deep, chainFiles }: VerifyFlags): string {
  if (status === 'violated') return 'VIOLATED';
  if (status === 'unknown') return 'UNKNOWN';
  if (chainFiles === false) return 'WITHOUT_CHAIN_FILES';
  return quick === true ? 'STRUCTURE_ONLY' : deep === true ? 'PROVEN_DEEP' : 'PROVEN';
}

/** Without words and without `--all`: the newest set of each node. */
async function setsMeant(
  vault: Vault,
  { all }: VerifyFlags,
  wanted: readonly string[],
): Promise<{ sets?: string[]; newest?: boolean }> {
  if (all === true) return {};
  if (wanted.length === 0) return { newest: true };
  const sets: string[] = [];
  for (const word of wanted) sets.push((await findSet(vault, word)).id);
  return { sets };
}

/** A line now and then: hours of reading must show that they get on. */
const NOTE_EVERY_BYTES = 2 ** 30;

function counter({ note }: Shell): (count: number, about: string) => void {
  let [bytes, told] = [0, 0];
  return (count, about) => {
    bytes += count;
    if (bytes - told < NOTE_EVERY_BYTES) return;
    told = bytes;
    note(`read ${(bytes / NOTE_EVERY_BYTES).toFixed(0)} GiB, now ${about}`);
  };
}
