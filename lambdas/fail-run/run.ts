import type { InputOf, OutputOf } from '../../core/step.ts';
import { endLease, type LeasePorts } from '../../vault/leases.ts';
import type { failRun } from './contract.ts';

export async function run(
  { run, fence, failure }: InputOf<typeof failRun>,
  ports: LeasePorts,
): Promise<OutputOf<typeof failRun>> {
  const error = { name: failure.Error, message: messageOf(failure) };
  await endLease(ports, { node: run.node, slot: run.slot, fence }, 'failed', error);
  return { error: error.name, message: error.message };
}

/** A Lambda's Cause is JSON with `errorMessage`; the local runtime's is the message itself. */
function messageOf({ Error: name, Cause: cause }: InputOf<typeof failRun>['failure']): string {
  if (cause === undefined) return `${name}, and no cause was given: a step that is late cannot say more`;
  try {
    const parsed: unknown = JSON.parse(cause);
    if (typeof parsed === 'object' && parsed !== null && 'errorMessage' in parsed) return String(parsed.errorMessage);
    return cause;
  } catch {
    return cause;
  }
}
