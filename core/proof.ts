import type { Sha256 } from './names.ts';
import type { EndReceipt, StartReceipt } from './receipts.ts';

/**
 * One thing a proof found. `violation`: proved not so. `unknown`: cannot be proved here. `note`: worth telling, and no
 * obstacle. `code` never changes its meaning.
 */
export interface Finding {
  readonly level: 'violation' | 'unknown' | 'note';
  readonly code: string;
  /** The component, key or chain it is about. */
  readonly about: string;
  readonly text: string;
}

interface Half<T> {
  readonly value: T;
  readonly sha256: Sha256;
}

export interface ReceiptPair {
  readonly start: Half<StartReceipt> | undefined;
  readonly end: Half<EndReceipt> | undefined;
}

/** Who ran: what each receipt must say of itself. */
export interface RunIdentity {
  readonly network: string;
  readonly node: string;
  readonly slot: string;
  readonly fence: number;
}

/** What is proved not so. */
export const violation = (code: string, about: string, text: string): Finding => ({
  level: 'violation',
  code,
  about,
  text,
});

/**
 * Re-proves the order of one run from its receipts alone, with no trust in clocks: a start half that cites the digest
 * of a finished receipt was written after that capture had ended, since nobody can cite a digest that does not exist.
 * `predecessors` holds, for every component of the run, all components the protocol puts before it.
 */
export function proveOrder(
  run: RunIdentity,
  predecessors: Readonly<Record<string, readonly string[]>>,
  receipts: ReadonlyMap<string, ReceiptPair>,
): Finding[] {
  return Object.entries(predecessors).flatMap(([component, before]) => {
    const pair = receipts.get(component);
    if (pair?.start === undefined)
      return [violation('RECEIPT_MISSING', component, `${component} has no start receipt`)];
    if (pair.end === undefined) return [violation('RECEIPT_MISSING', component, `${component} has no end receipt`)];
    return [
      ...proveHalves(run, component, pair.start, pair.end),
      ...before.flatMap((predecessor) => proveCitation(component, pair.start, predecessor, receipts.get(predecessor))),
    ];
  });
}

function proveHalves(run: RunIdentity, component: string, start: Half<StartReceipt>, end: Half<EndReceipt>): Finding[] {
  const found: Finding[] = [];
  for (const [half, { value }] of [
    ['start', start],
    ['end', end],
  ] as const) {
    const foreign = (['network', 'node', 'slot', 'fence'] as const).filter((field) => value[field] !== run[field]);
    if (value.component !== component || foreign.length > 0) {
      const what = `the ${half} receipt of ${component} belongs to ${value.component} of ${value.node}, slot ${value.slot}`;
      found.push(violation('RECEIPT_FOREIGN', component, `${what}, attempt ${value.fence}`));
    }
  }
  if (end.value.start !== start.sha256) {
    found.push(violation('RECEIPT_UNLINKED', component, `the end receipt of ${component} cites another start receipt`));
  }
  return found;
}

function proveCitation(
  component: string,
  start: Half<StartReceipt> | undefined,
  predecessor: string,
  before: ReceiptPair | undefined,
): Finding[] {
  const cited = start?.value.predecessors.find((entry) => entry.component === predecessor);
  if (cited === undefined) {
    const text = `${component} started without proof that ${predecessor} had ended`;
    return [violation('ORDER_VIOLATED', component, text)];
  }
  if (before?.end === undefined || cited.end === before.end.sha256) return [];
  const text = `${component} cites a receipt of ${predecessor} that is not the one in this set`;
  return [violation('ORDER_VIOLATED', component, text)];
}

/** Violated outranks unknown, unknown outranks proven; notes change nothing. */
export function statusOf(findings: readonly Finding[]): 'proven' | 'violated' | 'unknown' {
  if (findings.some(({ level }) => level === 'violation')) return 'violated';
  return findings.some(({ level }) => level === 'unknown') ? 'unknown' : 'proven';
}

/** Of one code: without a key, or in the middle of a copy, thousands of documents have the same to say. */
const TOLD = 3;

/** Collects findings, and tells as many of one code as say something. */
export interface Brief {
  readonly add: (findings: readonly Finding[]) => void;
  readonly all: () => Finding[];
}

export function briefly(): Brief {
  const kept: Finding[] = [];
  const counts = new Map<string, number>();
  const add = (findings: readonly Finding[]) => {
    for (const finding of findings) {
      const count = (counts.get(finding.code) ?? 0) + 1;
      counts.set(finding.code, count);
      if (count <= TOLD) kept.push(finding);
    }
  };
  const all = () =>
    kept.map((finding, at) => {
      const more = (counts.get(finding.code) ?? 0) - TOLD;
      const isLast = kept.findLastIndex(({ code }) => code === finding.code) === at;
      return more <= 0 || !isLast ? finding : { ...finding, text: `${finding.text} (and ${more} more like it)` };
    });
  return { add, all };
}
