import {
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
  visit,
} from 'yaml';
import type { Path, Problem } from './problems.ts';

/** A parsed file that can still say where each value stood. */
export interface Places {
  readonly file: string;
  readonly root: unknown;
  /** Problems of the text itself: not YAML, a key twice. */
  readonly syntax: readonly Problem[];
  valueAt(path: Path): unknown;
  /** The value as JSON, cut at 60 characters; undefined if it is missing, long-winded or could be a secret. */
  shown(path: Path): string | undefined;
  /** Line and column from 1, of a value or of its key; of what is missing: the mapping that should hold it. */
  locate(path: Path, atKey: boolean): { readonly line: number; readonly column: number };
}

const MAYBE_SECRET = /secret|password|token|key|url|auth|rpc/i;
/** What nobody means to put there, and what some do: an age identity, a PEM, an address with a password. */
const SURELY_SECRET = /AGE-SECRET-KEY|PRIVATE KEY|:\/\/[^/\s]*:[^/\s]*@/i;

export function readPlaces(file: string, text: string): Places {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  const syntax = [...document.errors, ...danglingAliases(document)].map(({ message, pos }) => {
    const at = lines.linePos(pos[0]);
    return { file, line: at.line, column: at.col, path: '', message: firstLine(message) };
  });
  const root: unknown = syntax.length > 0 ? undefined : document.toJS();
  const valueAt = (path: Path) =>
    path.reduce<unknown>((value, part) => (isRecord(value) ? value[part] : undefined), root);
  return {
    ...{ file, root, syntax, valueAt },
    shown: (path) => shown(path, valueAt(path)),
    locate: (path, atKey) => {
      const { line, col } = lines.linePos(offsetOf(document, path, atKey));
      return { line: Math.max(line, 1), column: Math.max(col, 1) };
    },
  };
}

/** Aliases whose anchor stands nowhere before them: the parser tells it only when the value is made, and by a throw. */
function danglingAliases(document: Document): { message: string; pos: readonly [number] }[] {
  const dangling: { message: string; pos: readonly [number] }[] = [];
  visit(document, {
    Alias: (_key, alias) => {
      if (alias.resolve(document) !== undefined) return;
      dangling.push({ message: `no anchor &${alias.source} stands before this alias`, pos: [start(alias) ?? 0] });
    },
  });
  return dangling;
}

/** The parser appends a drawing of the place, which we print in our own way. */
const firstLine = (message: string): string => message.split('\n')[0]?.replace(/ at line \d+, column \d+:?$/, '') ?? '';

const isRecord = (value: unknown): value is Record<string | number, unknown> =>
  typeof value === 'object' && value !== null;

function shown(path: Path, value: unknown): string | undefined {
  if (value === undefined || isRecord(value)) return undefined;
  if (path.some((part) => MAYBE_SECRET.test(String(part)))) return undefined;
  const json = JSON.stringify(value);
  if (SURELY_SECRET.test(json)) return undefined;
  return json.length > 60 ? `${json.slice(0, 57)}…` : json;
}

/** Offset of the deepest part of `path` that exists. */
function offsetOf(document: Document, path: Path, atKey: boolean): number {
  let node: unknown = document.contents;
  let offset = start(node) ?? 0;
  for (const [depth, part] of path.entries()) {
    const container: unknown = isAlias(node) ? node.resolve(document) : node;
    const pair = isMap(container) ? container.items.find(({ key }) => keyText(key) === String(part)) : undefined;
    if (pair === undefined && !isSeq(container)) return offset;
    if (pair !== undefined) offset = start(pair.key) ?? offset;
    node = pair === undefined && isSeq(container) ? container.items[Number(part)] : pair?.value;
    if (!(atKey && depth === path.length - 1)) offset = start(node) ?? offset;
  }
  return offset;
}

const keyText = (key: unknown): string => String(isScalar(key) ? key.value : key);

const start = (node: unknown): number | undefined => (isNode(node) ? (node as Node).range?.[0] : undefined);
