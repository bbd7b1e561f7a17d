import { DumpTaskRefused, EcsUnavailable, NoTaskCapacity } from '../core/dump-task.ts';

/** Answers that the same call gets again: the stack, or the rights, must change first. */
const LASTING: readonly string[] = [
  'AccessDeniedException',
  'BlockedException',
  'ClientException',
  'ClusterNotFoundException',
  // The client token was used for another order: the stack was deployed between two attempts at one call.
  'ConflictException',
  'InvalidParameterException',
  'PlatformTaskDefinitionIncompatibilityException',
  'PlatformUnknownException',
  'UnsupportedFeatureException',
];

/** Makes a call to ECS and translates how it fails. A modelled error is told by its name: in a bundle it has no class. */
export async function callEcs<Output>(about: string, call: () => Promise<Output>): Promise<Output> {
  try {
    return await call();
  } catch (cause) {
    if (!(cause instanceof Error)) throw cause;
    const { name } = cause;
    if (!LASTING.includes(name))
      throw new EcsUnavailable(`ECS gave no answer ${about}: ${name}`, 'Run the backup again.');
    throw new DumpTaskRefused(
      `ECS refused the call ${about}: ${name}`,
      'Deploy the stack again; see that its subnets, security groups and roles are still there.',
      { cause },
    );
  }
}

/** What ECS says, in `failures` and in a stopped task alike, when it has no room now. */
export const isCapacity = (reason: string): boolean => /^RESOURCE:|capacity is unavailable/i.test(reason);

export const noCapacity = (component: string, reason: string): NoTaskCapacity =>
  new NoTaskCapacity(
    `ECS has no room for the dump of ${component} now: ${reason}`,
    'Run the backup again in a few minutes; name subnets of more zones in `vpc` if it happens often.',
  );
