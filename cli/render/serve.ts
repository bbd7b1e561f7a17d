import type { SlotEnd } from '../../local/slot-work.ts';
import { failureNouns } from './failure.ts';

/** What one node's due slot came to. */
export interface ServedSlot {
  readonly node: string;
  readonly slot: string;
  readonly end: SlotEnd;
}

export function servedNouns(slots: readonly ServedSlot[]): Record<string, unknown> {
  return {
    nodes: slots.map(({ node, slot, end }) => ({
      ...{ node, slot, state: end.state },
      ...(end.state === 'done' ? end.run : {}),
      ...(end.state === 'failed' ? { errors: end.errors.map((error) => failureNouns(error).error) } : {}),
    })),
  };
}

export const servedText = (slots: readonly ServedSlot[]): string[] =>
  slots.map(({ node, slot, end }) => `${node}: slot ${slot} ${endText(end)}`);

function endText(end: SlotEnd): string {
  if (end.state === 'running') return 'is being worked on by another process';
  if (end.state === 'failed') return `failed: ${end.errors.map(messageOf).join('; ')}`;
  return end.run.outcome === 'sealed' ? `is sealed as ${end.run.set}, order ${end.run.verdict}` : 'was sealed before';
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
