import * as z from 'zod';
import { ExecutionNameTaken, StepFunctionsRefused, StepFunctionsUnavailable } from '../../core/executions.ts';
import { MEMBERS_A_PAGE } from '../../core/member-pages.ts';
import { MemberId } from '../../core/members.ts';
import { defineStep } from '../../core/step.ts';

/** Starts an execution for each member of a page; one that runs already goes on alone. */
export const startDeliveries = defineStep({
  name: 'start-deliveries',
  env: ['MEMBER_MACHINE'],
  input: z.strictObject({ page: z.array(MemberId).min(1).max(MEMBERS_A_PAGE) }),
  output: z.strictObject({ started: z.int().min(0) }),
  errors: [ExecutionNameTaken, StepFunctionsRefused, StepFunctionsUnavailable],
});
