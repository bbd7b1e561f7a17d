import { stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { Instant, type NetworkName } from '../core/names.ts';
import type { Finding } from '../core/proof.ts';
import { compareTrails, furthest, proveSame, proveVisit, type Seen, seenNow, type Trail } from '../core/seen.ts';
import type { Vault } from '../core/vault.ts';
import { changeSeen, readSeen } from '../local/seen-file.ts';
import { ForeignVault, readVaultFormat } from '../vault/format.ts';
import { FORMAT_KEY } from '../vault/layout.ts';
import { readOther } from '../vault/other-history.ts';
import { orFinding } from '../vault/prove-chain.ts';
import { type Trust, trustFrom } from '../vault/trust.ts';
import { type VerifyReport, withFindings } from '../vault/verify.ts';
import type { Shell } from './shell.ts';
import { UsageError } from './usage-error.ts';
import { locationOf, openVault } from './vaults.ts';

export interface VisitFlags {
  readonly remember?: string;
  readonly compare?: readonly string[];
}

/** What a visitor brings from outside: what was seen here before, and what others see. */
export interface Visit {
  /** Holds a proof against it, and remembers a good one. */
  end(proof: VerifyReport): Promise<Ended>;
}

interface Ended {
  readonly findings: readonly Finding[];
  readonly nouns: Readonly<Record<string, unknown>>;
  readonly text: readonly string[];
}

interface Place {
  readonly vault: Vault;
  readonly publicKeys: readonly string[];
  /** Sets that were named: then no history is looked at. */
  readonly sets: readonly string[];
}

/** A copy of the same histories elsewhere. */
interface Other {
  readonly where: string;
  readonly trails: readonly Trail[];
  /** Why some of it is not compared. */
  readonly findings: readonly Finding[];
}

/** Reads what is brought before anything of the vault is proved: that may take hours, and a slip is told at once. */
export async function beginVisit(shell: Shell, { remember, compare = [] }: VisitFlags, place: Place): Promise<Visit> {
  if (place.sets.length > 0 && (remember !== undefined || compare.length > 0)) {
    throw new UsageError('a set and --remember or --compare exclude each other', 'Leave the sets away.');
  }
  const file = remember === undefined ? undefined : resolve(shell.cwd, remember);
  const seen = file === undefined ? undefined : await readMemory(file);
  const others = compare.length === 0 ? [] : await readOthers(shell, compare, place);
  const end = async (proof: VerifyReport): Promise<Ended> => {
    const findings = [
      ...(seen === undefined ? [] : proveVisit(seen, proof.network, proof.trails)),
      ...others.flatMap((other) => [...other.findings, ...compareTrails(other.where, other.trails, proof.trails)]),
    ];
    const judged = withFindings(proof, findings);
    const late = file === undefined ? [] : await keep(file, judged, shell);
    const written = judged.status === 'proven' && late.length === 0;
    return { findings: [...findings, ...late], ...tell(others, file, written) };
  };
  return { end };
}

async function readMemory(file: string): Promise<Seen | undefined> {
  const folder = await stat(dirname(file)).catch(() => undefined);
  if (folder?.isDirectory() !== true) {
    throw new UsageError(`${dirname(file)} is no folder`, 'Name a file in a folder that exists.');
  }
  return readSeen(file);
}

/**
 * Only a proof is remembered: what is in doubt must not be held against anybody. Another visit may have ended in between;
 * resolves to what its memory has against this one.
 */
async function keep(file: string, { status, network, trails }: VerifyReport, { clock }: Shell): Promise<Finding[]> {
  if (status !== 'proven' || network === undefined) return [];
  const now = seenNow(network, trails, Instant.parse(clock.now().toISOString()));
  let late: Finding[] = [];
  await changeSeen(file, (current) => {
    late = current === undefined ? [] : proveSame(current, network, trails);
    return late.length > 0 ? undefined : furthest(current, now);
  });
  return late;
}

async function readOthers(shell: Shell, words: readonly string[], { vault, publicKeys }: Place): Promise<Other[]> {
  const network = (await orFinding([], FORMAT_KEY, () => readVaultFormat(vault)))?.network;
  const trust = await trustFrom(vault, publicKeys);
  const others: Other[] = [];
  for (const word of new Set(words)) {
    const other = await readWord(shell, word, { network, trust });
    if (other.trails.length + other.findings.length === 0) {
      const remedy = 'Name what `--vault` would name: the folder or prefix in which `chain/` is.';
      throw new UsageError(`${word} holds no history that could be compared`, remedy);
    }
    others.push(other);
  }
  return others;
}

async function readWord(
  shell: Shell,
  word: string,
  { network, trust }: { readonly network: NetworkName | undefined; readonly trust: Trust },
): Promise<Other> {
  const location = locationOf(word, shell.cwd);
  const stats = location.folder === undefined ? undefined : await stat(location.folder).catch(() => undefined);
  if (location.folder !== undefined && stats === undefined) {
    throw new UsageError(
      `${word} cannot be read`,
      'Give a vault, or a file that `ledgerhold verify --remember` wrote.',
    );
  }
  if (location.folder === undefined || stats?.isDirectory() === true) {
    const vault = await openVault(location, (path) => path);
    return { where: vault.url, ...(await readOther(vault, { network, trust, signal: shell.signal })) };
  }
  const seen = await readSeen(location.folder);
  if (seen !== undefined && network !== undefined && seen.network !== network) {
    const text = `${word} remembers network ${seen.network}, and the vault is of ${network}`;
    throw new ForeignVault(text, 'Compare what was seen of the same network.');
  }
  return { where: word, trails: (seen?.chains ?? []).filter(({ kind }) => kind === 'chain'), findings: [] };
}

function tell(others: readonly Other[], file: string | undefined, written: boolean): Omit<Ended, 'findings'> {
  const compared = others.map(({ where, trails }) => ({
    with: where,
    chains: trails.flatMap(({ node, seals }) => seals.slice(-1).map((head) => ({ node, ...head }))),
  }));
  return {
    nouns: { ...(others.length > 0 && { compared }), ...(file !== undefined && { remembered: { file, written } }) },
    text: [
      ...compared.flatMap((other) =>
        other.chains.map(({ node, seq }) => `compared with ${other.with}: ${node} up to manifest ${seq}`),
      ),
      ...(file === undefined ? [] : [written ? `remembered in ${file}` : `not remembered: ${file} is as it was`]),
    ],
  };
}
