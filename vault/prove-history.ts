import { type BlockRef, ChainAgreement, type ChainManifest, ChainRecord } from '../core/chain.ts';
import type { Unit } from '../core/delivery-proof.ts';
import { Seq } from '../core/names.ts';
import { type Finding, statusOf, violation } from '../core/proof.ts';
import type { Seal } from '../core/seen.ts';
import type { Vault } from '../core/vault.ts';
import { headNumber } from './chain.ts';
import { type Document, readDocument } from './documents.ts';
import { HISTORY } from './history.ts';
import { chainFileKey, chainPrefix, recordKey } from './layout.ts';
import { type BytesOptions, proveBytes } from './prove-bytes.ts';
import { orFinding, type ProofContext, proveLinkOf } from './prove-chain.ts';
import { proveSize, sizesUnder } from './prove-size.ts';
import { sized, unitOf } from './shared-objects.ts';
import type { Trust } from './trust.ts';
import { tellUncited } from './uncited.ts';

export interface HistoryOptions extends BytesOptions {
  readonly network: string | undefined;
  readonly trust: Trust;
  /** `structure` leaves the files' bytes unread. */
  readonly depth: 'structure' | 'bytes';
  /** False: the files are not looked for; all else is proved. */
  readonly chainFiles?: boolean;
  /** Only the files that the newest manifest has brought are read. */
  readonly newest?: boolean;
  /** Reads the blocks of these files again, and says what is wrong with them. */
  readonly deepChain?: (records: readonly ChainRecord[]) => Promise<Finding[]>;
}

/** What was proved of one chain's history. */
export interface HistoryReport {
  readonly node: string;
  readonly status: 'proven' | 'violated' | 'unknown';
  /** Of files that are of the chain; those that it has left are proved, and counted apart. */
  readonly files: number;
  readonly orphaned: number;
  /** The last block; null while there is none. */
  readonly head: BlockRef | null;
  /** File bytes read. */
  readonly bytes: number;
  readonly findings: readonly Finding[];
}

export interface ProvenHistory {
  readonly report: HistoryReport;
  readonly manifests: readonly (Seal & { readonly slot: string })[];
  /** What each of them brings to members. */
  readonly units: readonly Unit[];
  readonly signers: readonly string[];
}

interface Held {
  readonly record: Document<ChainRecord>;
  readonly seq: number;
  orphaned: boolean;
}

/**
 * Re-proves a chain's history: every manifest signed and citing the one before it, every record the one that was sealed,
 * the files whole, and the blocks of those that are of the chain following each other from genesis on. What lies beside
 * it, such as files whose manifest has not arrived yet, is told.
 */
export async function proveHistory(node: string, options: HistoryOptions): Promise<ProvenHistory> {
  const { vault, network, trust } = options;
  const context: ProofContext = { vault, node, network, trust, slots: new Map() };
  const findings: Finding[] = [];
  const held = new Map<string, Held>();
  const manifests: ProvenHistory['manifests'][number][] = [];
  const signers = new Set<string>();
  const units: Unit[] = [];
  let before: Document<ChainManifest> | undefined;
  const last = await headNumber(vault, HISTORY, node);
  for (let seq = 1; seq <= last; seq++) {
    const link = await proveLinkOf(context, HISTORY, seq, before);
    findings.push(...link.findings);
    before = link.manifest;
    if (before === undefined) continue;
    const { value, sha256 } = before;
    manifests.push({ seq: Seq.parse(seq), sha256, slot: value.slot });
    signers.add(value.signer);
    findings.push(...(await takeIn(context, value, held)), ...(await proveAgreement(vault, value)));
    units.push(
      unitOf(
        before,
        value.records.flatMap((record) => held.get(record.sha256)?.record.value ?? []),
      ),
    );
    findings.push(...proveLine(HISTORY.keyOf(node, seq), [...held.values()], value.head));
  }
  const standing = [...held.values()].filter(({ orphaned }) => !orphaned).map(({ record }) => record.value);
  const sizes = await sizesUnder(vault, chainPrefix(node));
  const bytes = await proveFiles(node, [...held.values()], sizes, options, findings);
  const cited = new Set(units.flatMap(({ objects }) => objects.map(({ key }) => key)));
  findings.push(...tellUncited(node, sizes.keys(), cited));
  const head = standing.at(-1)?.end ?? null;
  const counts = { files: standing.length, orphaned: held.size - standing.length };
  const report = { node, status: statusOf(findings), ...counts, head, bytes, findings };
  return { report, manifests, units: sized(units, sizes), signers: [...signers] };
}

/** Applies what a manifest adds and takes out. */
async function takeIn({ vault, node, network }: ProofContext, value: ChainManifest, held: Map<string, Held>) {
  const findings: Finding[] = [];
  for (const { key, sha256 } of value.orphaned) {
    const entry = held.get(sha256);
    if (entry === undefined) findings.push(violation('RECORD_UNKNOWN', key, `${key} was taken out and never in`));
    else entry.orphaned = true;
  }
  for (const { key, sha256 } of value.records) {
    const record = await orFinding(findings, key, () => readDocument(vault, key, ChainRecord));
    if (record === undefined) {
      findings.push(violation('RECORD_MISSING', key, `${key} is missing`));
      continue;
    }
    const { value: own } = record;
    const foreign = own.node !== node || (network !== undefined && own.network !== network);
    if (record.sha256 !== sha256 || foreign || recordKey(node, own.file.name) !== key) {
      findings.push(violation('RECORD_CHANGED', key, `${key} is not the record that was sealed`));
    }
    held.set(sha256, { record, seq: value.seq, orphaned: false });
  }
  return findings;
}

/** The line of blocks as one manifest leaves it: from genesis, without a gap, each file following the one before it. */
function proveLine(about: string, held: readonly Held[], head: BlockRef | null): Finding[] {
  const findings: Finding[] = [];
  let before: BlockRef | null = null;
  for (const { record, orphaned } of held) {
    if (orphaned) continue;
    const { start, end } = record.value;
    const expected: number = (before?.number ?? -1) + 1;
    if (start.number !== expected) {
      const text = `${record.key} begins with block ${start.number}, and block ${expected} was to come`;
      findings.push(violation('HISTORY_GAP', record.key, text));
    } else if (before !== null && start.parentHash !== before.hash) {
      const text = `${record.key} follows ${start.parentHash}, and block ${before.number} is ${before.hash}`;
      findings.push(violation('HISTORY_BROKEN', record.key, text));
    }
    before = end;
  }
  if (before?.hash === head?.hash && before?.number === head?.number) return findings;
  const text = `${about} says that the chain ends with block ${head?.number ?? 'none'}, and its records end with ${before?.number ?? 'none'}`;
  return [...findings, violation('HISTORY_HEAD_WRONG', about, text)];
}

/** Who agreed on the end: as many as had to, on the very block that the history ends with. */
async function proveAgreement(vault: Vault, { agreement, head }: ChainManifest): Promise<Finding[]> {
  const findings: Finding[] = [];
  const { key, sha256 } = agreement;
  const found = await orFinding(findings, key, () => readDocument(vault, key, ChainAgreement));
  if (found === undefined || found.sha256 !== sha256) {
    return [...findings, violation('EVIDENCE_CHANGED', key, `${key} is missing, or not what was sealed`)];
  }
  const { end, answers, rule } = found.value.evidence;
  const agree = answers.filter(({ number, hash, outcome }) => {
    return outcome === 'agrees' && number === end.number && hash === end.hash;
  });
  const names = new Set(agree.map(({ validator }) => validator));
  const needed = rule === 'all' ? new Set(answers.map(({ validator }) => validator)).size : rule;
  if (names.size < needed) {
    const text = `${key}: ${names.size} of ${needed} validators agree on block ${end.number}`;
    findings.push(violation('EVIDENCE_WRONG', key, text));
  }
  if (head?.hash !== end.hash) {
    const text = `${key} is about block ${end.number}, and the history ends with block ${head?.number ?? 'none'}`;
    findings.push(violation('EVIDENCE_WRONG', key, text));
  }
  return findings;
}

/** Every file, those too that the chain has left: they were delivered, and stay. Resolves to how many bytes were read. */
async function proveFiles(
  node: string,
  held: readonly Held[],
  sizes: ReadonlyMap<string, number>,
  options: HistoryOptions,
  findings: Finding[],
): Promise<number> {
  if (options.chainFiles === false) return 0;
  const newest = Math.max(...held.map(({ seq }) => seq));
  const whole: ChainRecord[] = [];
  let bytes = 0;
  for (const { record: document, seq } of held) {
    const record = document.value;
    const { name, size, sha256 } = record.file;
    const artifact = { key: chainFileKey(node, name), size, sha256 };
    const missing = proveSize(artifact, sizes);
    findings.push(...missing);
    if (missing.length > 0 || options.depth === 'structure') continue;
    if (options.newest === true && seq !== newest) continue;
    options.signal?.throwIfAborted();
    bytes += size;
    const changed = await proveBytes(artifact, options);
    findings.push(...changed);
    whole.push(record);
  }
  findings.push(...tellNone(node, held, sizes));
  if (options.deepChain !== undefined) findings.push(...(await options.deepChain(whole)));
  return bytes;
}

/** For a member that takes none. That somebody has removed them all looks alike, so that each is missing all the same. */
function tellNone(node: string, held: readonly Held[], sizes: ReadonlyMap<string, number>): Finding[] {
  if (held.length === 0 || held.some(({ record }) => sizes.has(chainFileKey(node, record.value.file.name)))) return [];
  const text = `no chain file of ${node} is here: where none is taken, \`verify --no-chain-files\` proves all else`;
  return [{ level: 'note', code: 'NO_CHAIN_FILES', about: chainPrefix(node), text }];
}
