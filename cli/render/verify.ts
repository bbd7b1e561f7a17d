import type { Comparison } from '../../core/positions.ts';
import type { Finding } from '../../core/proof.ts';
import type { MemberReport } from '../../vault/prove-deliveries.ts';
import type { HistoryReport } from '../../vault/prove-history.ts';
import type { SetReport, VerifyReport } from '../../vault/verify.ts';
import { bytesText } from './units.ts';

export function verifyNouns(report: VerifyReport, vault: string): Record<string, unknown> {
  const { status, heads, sets, chains, members, findings } = report;
  return { vault, status, heads, sets, chains, members, findings };
}

/** What was looked at, and what there is to tell besides. */
interface Looked {
  readonly quick?: boolean;
  readonly deep?: boolean;
  readonly chainFiles?: boolean;
  readonly told: readonly string[];
}

export function verifyText(
  { status, heads, sets, chains, members, findings }: VerifyReport,
  vault: string,
  { quick, deep, chainFiles, told }: Looked,
): string[] {
  const bytes = [...sets, ...chains].reduce((sum, each) => sum + each.bytes, 0);
  const what =
    quick === true
      ? 'no bytes were read: run without --quick to prove them'
      : `${bytesText(bytes)} read${deep === true ? ' and opened' : ''}`;
  const less = quick === true ? 'STRUCTURE_ONLY' : chainFiles === false ? 'WITHOUT_CHAIN_FILES' : undefined;
  // Less than the word for a proof of every byte.
  const words = less === undefined ? WORDS : { ...WORDS, proven: less };
  const good = (all: readonly { readonly status: string }[]) => all.filter((each) => each.status === 'proven').length;
  const counted = [
    ...(sets.length === 0 && chains.length > 0 ? [] : [`${good(sets)} of ${sets.length} sets`]),
    ...(chains.length === 0 ? [] : [`${good(chains)} of ${chains.length} chains`]),
    ...(members.length === 0 ? [] : [`${good(members)} of ${members.length} members`]),
  ];
  return [
    ...sets.flatMap((set) => setText(set, quick === true)),
    ...chains.flatMap((chain) => chainText(chain, less !== undefined)),
    ...members.flatMap(memberText),
    ...findings.flatMap(findingText),
    ...(sets.length + chains.length + findings.length === 0 ? [] : ['']),
    ...heads.map(({ node, seq, sha256 }) => `head of ${node}: ${seq}, ${sha256}`),
    ...told,
    `${words[status]}: ${counted.join(', ')} in ${vault} (${chainFiles === false ? 'chain files were not looked for; ' : ''}${what})`,
  ];
}

const WORDS = { proven: 'PROVEN', violated: 'VIOLATED', unknown: 'UNKNOWN' } as const;

function setText({ set, slot, status, expired, comparisons, findings }: SetReport, quick: boolean): string[] {
  const state = status !== 'proven' ? status : expired ? 'expired' : quick ? 'in order' : 'proven';
  return [
    `${state.padEnd(8)}  ${set}${slot === undefined ? '' : `  slot ${slot}`}`,
    ...comparisons.map(comparisonText),
    ...findings.flatMap(findingText),
  ];
}

function chainText({ node, status, files, orphaned, head, findings }: HistoryReport, quick: boolean): string[] {
  const state = status !== 'proven' ? status : quick ? 'in order' : 'proven';
  const blocks = head === null ? 'no block yet' : `blocks 0 to ${head.number}, ${head.hash}`;
  const left = orphaned === 0 ? '' : `; ${orphaned} files that the chain has left`;
  return [`${state.padEnd(8)}  ${node}  ${files} files, ${blocks}${left}`, ...findings.flatMap(findingText)];
}

/** What was delivered is proved by documents alone, also where no bytes are read. */
function memberText({ member, status, receipts, proofs, totals, findings }: MemberReport): string[] {
  const objects = totals === null ? '' : `, ${totals.objects} objects there`;
  const line = `${status.padEnd(8)}  member ${member}  ${receipts} receipts${objects}, ${proofs} proofs`;
  return [line, ...findings.flatMap(findingText)];
}

function comparisonText({ lower, upper, difference, unit, scope }: Comparison): string {
  const on = scope === undefined ? '' : ` on ${scope}`;
  const holds = BigInt(difference) <= 0n ? '≤' : '>';
  return `          ${lower.component} ${lower.counter} ${lower.value} ${holds} ${upper.component} ${upper.counter} ${upper.value} (${unit}${on})`;
}

const findingText = ({ level, code, text }: Finding): string[] => [`          ${level} ${code}: ${text}`];
