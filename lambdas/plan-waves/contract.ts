import * as z from 'zod';
import { Fence } from '../../core/names.ts';
import { Run, Ticket } from '../../core/run.ts';
import { defineStep } from '../../core/step.ts';
import { CyclicOrder, UnknownComponent } from '../../core/waves.ts';

/** Sorts a run's components into waves by the protocol's order; refuses by name before any call is made. */
export const planWaves = defineStep({
  name: 'plan-waves',
  env: [],
  input: z.strictObject({ run: Run, fence: Fence }),
  output: z.strictObject({ waves: z.array(z.array(Ticket).min(1)).min(1) }),
  errors: [CyclicOrder, UnknownComponent],
});
