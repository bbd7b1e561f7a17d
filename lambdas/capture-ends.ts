import type { CaptureEnds } from '../aws/deployed-captures.ts';
import { endedCaptures } from '../aws/lambda-captures.ts';

/** What follows the start of a capture, for every kind that can be deployed. */
export const deployedEnds = (): CaptureEnds => ({ identities: endedCaptures() });
