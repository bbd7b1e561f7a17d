/** What is open at the end of a line: nothing, a quoted text or name, or a dollar-quoted text by its tag. */
export type OpenQuote = string;

/** What can open or end something. A dollar within a name opens nothing. */
const MARK = /['";]|--|(?<![\w$\x80-\xff])\$(?:[A-Za-z_\x80-\xff][\w\x80-\xff]*)?\$/g;

/** Reads one line of SQL: does a statement end with it? Strings without backslash escapes; no block comments. */
export function endOfStatement(line: string, open: OpenQuote): { readonly quote: OpenQuote; readonly ended: boolean } {
  let quote = open;
  let ended = false;
  for (let at = 0; at < line.length; ) {
    if (quote !== '') {
      const close = line.indexOf(quote, at);
      if (close === -1) return { quote, ended: false };
      at = close + quote.length;
      quote = '';
      continue;
    }
    MARK.lastIndex = at;
    const mark = MARK.exec(line);
    // Words after a semicolon, such as those of `BEGIN ATOMIC`, take the statement on.
    if (mark === null || mark[0] === '--') return { quote, ended: ended && line.slice(at, mark?.index).trim() === '' };
    ended = mark[0] === ';';
    quote = ended ? '' : mark[0];
    at = mark.index + mark[0].length;
  }
  return { quote, ended };
}
