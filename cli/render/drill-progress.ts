import type { DrillOptions } from '../../local/drill.ts';
import type { Shell } from '../shell.ts';
import { bytesText, measuredText } from './units.ts';

/** A line for each step that ends, and for a long one now and then. */
const NOTE_EVERY_BYTES = 2 ** 28;

export function drillProgress({ note }: Shell): Required<Pick<DrillOptions, 'onStep' | 'onBytes'>> {
  let told = 0;
  return {
    onStep: (step) => {
      told = 0;
      if ('outcome' in step) note(`${step.name}: ${step.outcome} in ${measuredText(step.milliseconds)}`);
    },
    onBytes: (component, bytes, of) => {
      if (bytes - told < NOTE_EVERY_BYTES) return;
      told = bytes;
      note(`restore ${component}: ${bytesText(bytes)} of ${bytesText(of)}`);
    },
  };
}
