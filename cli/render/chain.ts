import {
  type ChainStatus,
  type HistoryExpectation,
  type HistoryProblem,
  settledHash,
  statusOf,
} from '../../protocols/ethereum/history.ts';
import type { ChainFileReport, ChainProblem } from '../../protocols/ethereum/report.ts';
import { bytesText, table } from './units.ts';

export interface ChainVerified {
  readonly reports: readonly ChainFileReport[];
  readonly problems: readonly HistoryProblem[];
  readonly status: ChainStatus;
  readonly expected: HistoryExpectation;
}

/** The history for programs: its two ends, sums, and each file with what is wrong in it. */
export function chainNouns({ reports, problems, status, expected }: ChainVerified): Record<string, unknown> {
  const files = reports.map((report, at) => ({
    ...{ file: report.file, compression: report.compression, bytes: report.bytes, blocks: report.blocks },
    ...{ transactions: report.transactions, unchecked: report.unchecked, rules: report.rules },
    first: report.first ?? null,
    last: lastOf(report, reports[at + 1]?.first?.parentHash ?? expected.head),
    problems: problemsOf(report, problems),
    moreProblems: report.moreProblems,
  }));
  const sum = (of: (report: ChainFileReport) => number) => reports.reduce((all, report) => all + of(report), 0);
  return {
    status,
    first: files[0]?.first ?? null,
    last: files.at(-1)?.last ?? null,
    ...{ blocks: sum((each) => each.blocks), transactions: sum((each) => each.transactions) },
    ...{ bytes: sum((each) => each.bytes), rules: rulesOf(reports), files },
  };
}

const lastOf = ({ last }: ChainFileReport, told: string | undefined) =>
  last === undefined ? null : { number: last.number, hash: settledHash(last, told) };

const problemsOf = (report: ChainFileReport, problems: readonly HistoryProblem[]): ChainProblem[] => [
  ...report.problems,
  ...problems.filter(({ file }) => file === report.file).map(({ file: _, ...problem }) => problem),
];

function rulesOf(reports: readonly ChainFileReport[]): Record<string, number> {
  const rules: Record<string, number> = {};
  for (const report of reports) {
    for (const [rule, blocks] of Object.entries(report.rules)) rules[rule] = (rules[rule] ?? 0) + blocks;
  }
  return rules;
}

const WORDS = { proven: 'PROVEN', violated: 'VIOLATED', unknown: 'UNKNOWN' } as const;

export function chainText(verified: ChainVerified): string[] {
  const { reports, problems, status, expected } = verified;
  const blocks = reports.reduce((sum, report) => sum + report.blocks, 0);
  const bytes = reports.reduce((sum, report) => sum + report.bytes, 0);
  const last = reports.at(-1);
  return [
    ...reports.flatMap((report) => fileText(report, problemsOf(report, problems))),
    '',
    ...table([
      ['first', firstText(reports[0], expected.after)],
      ['last', last?.last === undefined ? 'unknown' : `${last.last.number}, ${settledHash(last.last, expected.head)}`],
      ['hashed by', rulesText(rulesOf(reports))],
      ...uncheckedText(reports),
    ]),
    `${WORDS[status]}: ${blocks} blocks in ${reports.length} ${reports.length === 1 ? 'file' : 'files'} (${bytesText(bytes)} read)`,
  ];
}

const FILE_WORDS = { proven: 'proven ', violated: 'damaged', unknown: 'unknown' } as const;

function fileText(report: ChainFileReport, problems: readonly ChainProblem[]): string[] {
  const { file, first, last, blocks, transactions, moreProblems } = report;
  const range = first === undefined || last === undefined ? '' : `  ${first.number} to ${last.number}`;
  return [
    `${FILE_WORDS[statusOf(problems)]}  ${file}${range}, ${blocks} blocks, ${transactions} transactions`,
    ...problems.map((problem) => `         ${problemText(problem)}`),
    ...(moreProblems === 0 ? [] : [`         and ${moreProblems} more`]),
  ];
}

function problemText({ error, text, block, offset }: ChainProblem): string {
  const where = [
    ...(block === undefined ? [] : [`block ${block}`]),
    ...(offset === undefined ? [] : [`byte ${offset}`]),
  ].join(', ');
  return `${error}: ${where === '' ? '' : `${where}: `}${text}`;
}

/** A parent that nobody vouches for is said to be so. */
function firstText(report: ChainFileReport | undefined, after: string | undefined): string {
  if (report?.first === undefined) return 'unknown';
  const { number, hash, parentHash } = report.first;
  const parent = number === 0 ? '' : after === parentHash ? `, after ${after}` : `, after ${parentHash} (not checked)`;
  return `${number}, ${hash}${parent}`;
}

const rulesText = (rules: Readonly<Record<string, number>>): string =>
  Object.entries(rules)
    .map(([rule, blocks]) => `${rule} (${blocks} blocks)`)
    .join(', ') || 'nothing';

function uncheckedText(reports: readonly ChainFileReport[]): string[][] {
  const unchecked = reports.reduce((sum, report) => sum + report.unchecked, 0);
  return unchecked === 0 ? [] : [['not checked', `${unchecked} items that no known field of a header commits to`]];
}
