import { BadPostgresSource } from './errors.ts';

/** One piece of a word: in single quotes, in double quotes, behind a backslash, or bare. */
const PIECE = /'([^']*)'|"((?:[^"\\]|\\.)*)"|\\(.)|([^\s'"\\]+)/gs;

/** Splits a command into words as a shell does, by quotes and backslashes alone: nothing is expanded or run. */
export function splitWords(command: string): string[] {
  const words: string[] = [];
  let end = 0;
  for (const match of command.matchAll(PIECE)) {
    const [piece, single, double, escaped, bare] = match;
    const gap = command.slice(end, match.index);
    if (gap.trim() !== '') break;
    if (words.length === 0 || gap !== '') words.push('');
    words.push((words.pop() ?? '') + (single ?? double?.replace(/\\(["\\$`])/g, '$1') ?? escaped ?? bare ?? ''));
    end = match.index + piece.length;
  }
  if (words.length > 0 && command.slice(end).trim() === '') return words;
  throw new BadPostgresSource(
    `the command ${command} cannot be split into words`,
    'Close each quote; write via as one would in a shell, such as docker exec -i NAME.',
  );
}
