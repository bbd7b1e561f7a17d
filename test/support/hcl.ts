/** What a text in HCL says: `blocks` by their heads, such as `resource "aws_s3_bucket" "b"` → `resource.aws_s3_bucket.b`. */
export interface HclFile {
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly blocks: Readonly<Record<string, HclFile>>;
}

/** Evaluates an expression that is no literal, such as `local.bucket`. */
export type Lookup = (reference: string) => string;

/**
 * Reads the part of HCL that our templates use, and throws at all else: a block or an attribute a line, literals, objects,
 * lists, references, `${reference}` in texts, and `jsonencode(…)`.
 */
export function parseHcl(text: string, lookup: Lookup): HclFile {
  return new Reader(tokens(text), lookup).body('');
}

const TOKEN =
  /(?<skip>[ \t]+|#[^\n]*)|(?<text>"(?:[^"\\]|\\.)*")|(?<word>[A-Za-z_][\w.-]*)|(?<number>\d+)|(?<mark>[{}[\]()=:,]|\n)/y;

type Token = readonly [kind: 'text' | 'word' | 'number' | 'mark' | 'end', text: string];

function tokens(text: string): Token[] {
  const found: Token[] = [];
  for (let at = 0; at < text.length; ) {
    TOKEN.lastIndex = at;
    const groups = TOKEN.exec(text)?.groups;
    if (groups === undefined) throw new SyntaxError(`HCL: ${JSON.stringify(text.slice(at, at + 30))}`);
    const kind = (['skip', 'text', 'word', 'number', 'mark'] as const).find((each) => groups[each] !== undefined);
    const token = groups[kind ?? 'skip'] ?? '';
    if (kind !== undefined && kind !== 'skip') found.push([kind, token]);
    at += token.length;
  }
  return [...found, ['end', '']];
}

class Reader {
  readonly #tokens: Token[];
  readonly #lookup: Lookup;

  constructor(all: Token[], lookup: Lookup) {
    this.#tokens = all;
    this.#lookup = lookup;
  }

  /** Up to `close`, which is taken, too. */
  body(close: '}' | ''): HclFile {
    const [attributes, blocks]: [Record<string, unknown>, Record<string, HclFile>] = [{}, {}];
    for (;;) {
      this.#lines();
      const [kind, name] = this.#next();
      if (name === close && (kind === 'mark' || kind === 'end')) return { attributes, blocks };
      if (kind !== 'word') throw new SyntaxError(`HCL: ${JSON.stringify(name)} where a name should be`);
      if (this.#is('=')) this.#put(attributes, name, this.#value());
      else this.#put(blocks, ...this.#block(name));
      if (this.#peek()[1] !== close) this.#expect('\n');
    }
  }

  #block(name: string): [string, HclFile] {
    const head = [name];
    while (this.#peek()[0] === 'text') head.push(JSON.parse(this.#next()[1]) as string);
    this.#expect('{');
    return [head.join('.'), this.body('}')];
  }

  #value(): unknown {
    const [kind, text] = this.#next();
    if (kind === 'text') return this.#filled(JSON.parse(text) as string);
    if (kind === 'number') return Number(text);
    if (text === 'true' || text === 'false') return text === 'true';
    if (text === '{') return this.#object();
    if (text === '[') return this.#list();
    if (kind !== 'word') throw new SyntaxError(`HCL: ${JSON.stringify(text)} where a value should be`);
    if (!this.#is('(')) return this.#lookup(text);
    if (text !== 'jsonencode') throw new SyntaxError(`HCL: ${text}(…)`);
    const argument = this.#value();
    this.#expect(')');
    return JSON.stringify(argument);
  }

  #object(): Record<string, unknown> {
    const found: Record<string, unknown> = {};
    for (this.#lines(); !this.#is('}'); this.#separator('}')) {
      const [kind, key] = this.#next();
      if (kind !== 'text' && kind !== 'word')
        throw new SyntaxError(`HCL: ${JSON.stringify(key)} where a key should be`);
      if (!this.#is(':')) this.#expect('=');
      this.#put(found, kind === 'text' ? (JSON.parse(key) as string) : key, this.#value());
    }
    return found;
  }

  #list(): unknown[] {
    const found: unknown[] = [];
    for (this.#lines(); !this.#is(']'); this.#separator(']')) found.push(this.#value());
    return found;
  }

  #filled(text: string): string {
    const filled = text.replaceAll(/\$\{([\w.]+)\}/g, (_all, reference: string) => this.#lookup(reference));
    if (/[$%]\{/.test(filled)) throw new SyntaxError(`HCL: ${text}`);
    return filled;
  }

  #put<T>(into: Record<string, T>, name: string, value: T): void {
    if (name in into) throw new SyntaxError(`HCL: ${name} is there twice`);
    into[name] = value;
  }

  #separator(close: string): void {
    const comma = this.#is(',');
    const line = this.#peek()[1] === '\n';
    this.#lines();
    if (!comma && !line && this.#peek()[1] !== close) throw new SyntaxError(`HCL: no comma before ${this.#peek()[1]}`);
  }

  #lines(): void {
    while (this.#is('\n'));
  }

  #peek(): Token {
    return this.#tokens[0] ?? ['end', ''];
  }

  #next(): Token {
    return this.#tokens.shift() ?? ['end', ''];
  }

  #is(mark: string): boolean {
    const [kind, text] = this.#peek();
    if (kind !== 'mark' || text !== mark) return false;
    this.#tokens.shift();
    return true;
  }

  #expect(mark: string): void {
    if (!this.#is(mark))
      throw new SyntaxError(`HCL: ${JSON.stringify(this.#peek()[1])} instead of ${JSON.stringify(mark)}`);
  }
}
