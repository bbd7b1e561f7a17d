import { resolve } from 'node:path';
import type { RuleChoice } from '../../protocols/ethereum/hash-rules.ts';
import { type ChainStatus, historyProblems, statusOf } from '../../protocols/ethereum/history.ts';
import { verifyFilesInThreads } from '../chain-threads.ts';
import type { ExitCode } from '../exit-codes.ts';
import { chainNouns, chainText } from '../render/chain.ts';
import type { Outcome, Shell } from '../shell.ts';
import { UsageError } from '../usage-error.ts';

export interface ChainVerifyFlags {
  readonly after?: string;
  readonly expectHead?: string;
  readonly rule: RuleChoice;
}

/** Exit 0 proven, 1 damaged or broken, 3 unknown: a last hash that cannot be told, a file that cannot be decompressed. */
export async function chainVerify(
  shell: Shell,
  { after, expectHead, rule }: ChainVerifyFlags,
  names: readonly string[],
): Promise<Outcome> {
  const expected = {
    ...(after !== undefined && { after: hashMeant('--after', after) }),
    ...(expectHead !== undefined && { head: hashMeant('--expect-head', expectHead) }),
  };
  const files = names.map((name) => resolve(shell.cwd, name));
  const twice = names.find((_, at) => files.indexOf(files[at] ?? '') !== at);
  if (twice !== undefined) throw new UsageError(`${twice} is named twice`, 'Name each file of the history once.');
  const found = await verifyFilesInThreads(shell, files, rule);
  // As it was named: a path of this machine means nothing to whom the result is sent.
  const reports = found.map((report, at) => ({ ...report, file: names[at] ?? report.file }));
  const problems = historyProblems(reports, expected);
  const status = statusOf([...problems, ...reports.flatMap((report) => report.problems)]);
  const verified = { reports, problems, status, expected };
  return { exit: EXIT[status], code: CODE[status], nouns: chainNouns(verified), text: chainText(verified) };
}

const EXIT: Readonly<Record<ChainStatus, ExitCode>> = { proven: 0, violated: 1, unknown: 3 };
const CODE: Readonly<Record<ChainStatus, string>> = { proven: 'PROVEN', violated: 'VIOLATED', unknown: 'UNKNOWN' };

function hashMeant(option: string, text: string): string {
  if (/^(?:0x)?[0-9a-f]{64}$/i.test(text)) return `0x${text.replace(/^0x/i, '').toLowerCase()}`;
  throw new UsageError(`${option} "${text}" is no block hash`, 'Give the 64 hexadecimal digits of a block’s hash.');
}
