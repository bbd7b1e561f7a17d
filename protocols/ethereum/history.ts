import { basename } from 'node:path';
import { ChainBroken, HashRuleUnclear, unclearText } from './errors.ts';
import type { ChainFileReport, ChainProblem } from './report.ts';

/** What the files must be together, beside what each is by itself. */
export interface HistoryExpectation {
  /** The hash of the block that the first file follows. */
  readonly after?: string;
  /** The hash of the last block of the last file. */
  readonly head?: string;
}

/** What is wrong with a file as a part of the history, in the order of the files. */
export interface HistoryProblem extends ChainProblem {
  readonly file: string;
}

/** Holds the files, in their order, to each other, to their names and to what is known from outside. */
export function historyProblems(
  reports: readonly ChainFileReport[],
  { after, head }: HistoryExpectation,
): HistoryProblem[] {
  return reports.flatMap((report, position) => {
    const before = reports[position - 1];
    const texts = [
      ...nameProblems(report),
      ...(before === undefined ? startProblems(report, after) : linkProblems(before, report)),
      ...(head !== undefined && position === reports.length - 1 ? headProblems(report, head) : []),
    ].map((error) => problemOf(report.file, error));
    return position === reports.length - 1 && head === undefined ? [...texts, ...unclearHead(report)] : texts;
  });
}

const problemOf = (file: string, error: ChainBroken | HashRuleUnclear): HistoryProblem => ({
  ...{ file, error: error.name, text: error.message },
});

/** Files of this service and of its predecessor say in their names which blocks they hold. */
const RANGE = /-block-(\d+)-(\d+)[^/]*\.rlp/;

function nameProblems({ file, first, last }: ChainFileReport): ChainBroken[] {
  const [, start, end] = RANGE.exec(basename(file)) ?? [];
  if (start === undefined || first === undefined || last === undefined) return [];
  if (first.number === Number(start) && last.number === Number(end)) return [];
  return [
    new ChainBroken(`by its name it holds blocks ${start} to ${end}; it holds ${first.number} to ${last.number}`),
  ];
}

function startProblems({ first }: ChainFileReport, after: string | undefined): ChainBroken[] {
  if (after === undefined || first === undefined || first.parentHash === after) return [];
  return [new ChainBroken(`its first block, ${first.number}, follows ${first.parentHash}, not ${after}`)];
}

function linkProblems({ file, last }: ChainFileReport, { first }: ChainFileReport): (ChainBroken | HashRuleUnclear)[] {
  // A file whose ends cannot be read says so itself.
  if (last === undefined || first === undefined) return [];
  if (first.number !== last.number + 1) {
    return [new ChainBroken(`it begins with block ${first.number}; ${file} ends with block ${last.number}`)];
  }
  if (last.hashes.some(({ hash }) => hash === first.parentHash)) return [];
  if (last.unclear) return [new HashRuleUnclear(unclearText(last.number))];
  const before = `block ${last.number}, the last of ${file}, is ${last.hash}`;
  return [new ChainBroken(`its first block, ${first.number}, follows ${first.parentHash}; ${before}`)];
}

function headProblems({ last }: ChainFileReport, head: string): ChainBroken[] {
  if (last === undefined || last.hashes.some(({ hash }) => hash === head)) return [];
  return [new ChainBroken(`its last block, ${last.number}, is ${last.hash}, not ${head}`)];
}

function unclearHead({ file, last }: ChainFileReport): HistoryProblem[] {
  if (last?.unclear !== true) return [];
  return [problemOf(file, new HashRuleUnclear(unclearText(last.number)))];
}

export type ChainStatus = 'proven' | 'violated' | 'unknown';

/** What says that something could not be told, not that it is wrong. */
const UNKNOWN: ReadonlySet<string> = new Set(['HashRuleUnclear', 'WindowTooLarge']);

export function statusOf(problems: readonly ChainProblem[]): ChainStatus {
  if (problems.some(({ error }) => !UNKNOWN.has(error))) return 'violated';
  return problems.length > 0 ? 'unknown' : 'proven';
}

/** The hash that the next block, or the expectation, calls a file's last block by; else the likeliest. */
export function settledHash(last: NonNullable<ChainFileReport['last']>, told: string | undefined): string {
  return last.hashes.find(({ hash }) => hash === told)?.hash ?? last.hash;
}
