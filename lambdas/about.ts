import type { About } from '../core/ports.ts';

/** What tells a run apart, from its schedule to the objects in the vault; `holder` is the execution's id. */
const OF_INPUT = ['network', 'node', 'slot', 'fence', 'component', 'holder'];
/** What came of it. */
const OF_OUTPUT = ['outcome', 'fence', 'set', 'seq', 'verdict', 'ended', 'component'];

/** What a step's input is about, as its log tells it: nothing but these names, whatever else is in it. */
export const aboutInput = (input: unknown): About =>
  Object.assign({}, ...[input, member(input, 'run'), member(input, 'ticket')].map((each) => picked(each, OF_INPUT)));

export const aboutOutput = (output: unknown): About => picked(output, OF_OUTPUT);

function picked(value: unknown, names: readonly string[]): Record<string, string | number | boolean> {
  return Object.fromEntries(
    names.flatMap((name) => {
      const found = member(value, name);
      const plain = typeof found === 'string' || typeof found === 'number' || typeof found === 'boolean';
      return plain ? [[name, found]] : [];
    }),
  );
}

const member = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null && name in value ? (value as Record<string, unknown>)[name] : undefined;
