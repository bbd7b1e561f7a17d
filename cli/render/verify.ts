import type { Comparison } from '../../core/positions.ts';
import type { Finding } from '../../core/proof.ts';
import type { SetReport, VerifyReport } from '../../vault/verify.ts';
import { bytesText } from './units.ts';

export function verifyNouns(report: VerifyReport, vault: string): Record<string, unknown> {
  const { status, heads, sets, findings } = report;
  return { vault, status, heads, sets, findings };
}

export function verifyText(
  { status, heads, sets, findings }: VerifyReport,
  vault: string,
  { quick, deep }: { readonly quick?: boolean; readonly deep?: boolean },
): string[] {
  const bytes = sets.reduce((sum, set) => sum + set.bytes, 0);
  const what =
    quick === true
      ? 'no bytes were read: run without --quick to prove them'
      : `${bytesText(bytes)} read${deep === true ? ' and opened' : ''}`;
  // Less than the word for a proof of every byte.
  const words = quick === true ? { ...WORDS, proven: 'STRUCTURE_ONLY' } : WORDS;
  const worst = sets.filter((set) => set.status !== 'proven').length;
  return [
    ...sets.flatMap((set) => setText(set, quick === true)),
    ...findings.flatMap(findingText),
    ...(sets.length + findings.length === 0 ? [] : ['']),
    ...heads.map(({ node, seq, sha256 }) => `head of ${node}: ${seq}, ${sha256}`),
    `${words[status]}: ${sets.length - worst} of ${sets.length} sets in ${vault} (${what})`,
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

function comparisonText({ lower, upper, difference, unit, scope }: Comparison): string {
  const on = scope === undefined ? '' : ` on ${scope}`;
  const holds = BigInt(difference) <= 0n ? '≤' : '>';
  return `          ${lower.component} ${lower.counter} ${lower.value} ${holds} ${upper.component} ${upper.counter} ${upper.value} (${unit}${on})`;
}

const findingText = ({ level, code, text }: Finding): string[] => [`          ${level} ${code}: ${text}`];
