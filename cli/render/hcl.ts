/** A value of HCL: text (in which `${…}` is filled in), or an expression as it is to stand there. */
export type HclValue = string | number | boolean | { readonly expression: string };

/** The inside of a block: attributes, and blocks of its own. Undefined is left out. */
export interface HclBody {
  readonly [name: string]: HclValue | HclBody | undefined;
}

export const expression = (text: string): HclValue => ({ expression: text });

/** JSON is an expression of HCL, too; texts in it are filled in like any other. Colons as `terraform fmt` has them. */
export function jsonencode(value: unknown): HclValue {
  const json = JSON.stringify(value, undefined, 2).replaceAll(/^( *"[^"]*"):/gm, '$1 :');
  return expression(`jsonencode(${bare(json)})`);
}

/** What is nothing but one expression needs no quotes, and Terraform warns of them. */
const bare = (text: string): string => text.replaceAll(/"\$\{([a-z_.]+)\}"/g, '$1');

/** One block, a line each, as `terraform fmt` has it. */
export function block(head: readonly string[], body: HclBody): string[] {
  const [kind = '', ...labels] = head;
  const opening = [kind, ...labels.map((label) => JSON.stringify(label)), '{'].join(' ');
  const inside = contents(body);
  return inside.length === 0 ? [`${opening}}`] : [opening, ...inside.map((line) => line && `  ${line}`), '}'];
}

function contents(body: HclBody): string[] {
  const entries = Object.entries(body);
  const attributes = entries.flatMap(([name, value]) => (isAttribute(value) ? [{ name, text: written(value) }] : []));
  const blocks = entries.flatMap(([name, value]) =>
    value === undefined || isAttribute(value) ? [] : [block([name], value)],
  );
  const lines = attributes.flatMap(({ name, text }, n) =>
    `${name.padEnd(widthAt(attributes, n))} = ${text}`.split('\n'),
  );
  return [...lines, ...blocks.flatMap((each, n) => (n > 0 || lines.length > 0 ? ['', ...each] : each))];
}

/** How far the attribute's name reaches: with its neighbours, up to one that takes several lines, it is set in a column. */
function widthAt(attributes: readonly { readonly name: string; readonly text: string }[], at: number): number {
  const isLong = ({ text }: { readonly text: string }) => text.includes('\n');
  const start = attributes.slice(0, at).findLastIndex(isLong) + 1;
  const end = attributes.findIndex((each, n) => n >= at && isLong(each));
  const column = end === at ? attributes.slice(at, at + 1) : attributes.slice(start, end === -1 ? undefined : end);
  return Math.max(...column.map(({ name }) => name.length));
}

const isAttribute = (value: HclValue | HclBody | undefined): value is HclValue =>
  value !== undefined && (typeof value !== 'object' || typeof value['expression'] === 'string');

const written = (value: HclValue): string =>
  typeof value === 'object' ? value.expression : bare(JSON.stringify(value));
