import { MemberRefused } from './delivery.ts';
import type { Member, MemberDestination } from './members.ts';

type Bucket = Extract<MemberDestination, { kind: 'bucket' }>;

/**
 * A destination that a deployed delivery may go to: a bucket on AWS of an account that is on the network's list. Throws
 * `MemberRefused`: the registry may have been edited, or the list have changed since.
 */
export function destinationOnAws({ member, destination }: Member, accounts: readonly string[]): Bucket {
  if (destination?.kind !== 'bucket' || destination.endpoint !== undefined) {
    throw new MemberRefused({
      name: 'NOT_ON_AWS',
      message: `${member} has no bucket on AWS, and nothing else is within reach from there`,
      remedy: 'Register a bucket on AWS, or deliver to this member from the machine that its folder is on.',
    });
  }
  if (accounts.includes(destination.account)) return destination;
  throw new MemberRefused({
    name: 'ANOTHER_OWNER',
    message: `the bucket of ${member} is said to be of account ${destination.account}, which is not on the network’s list`,
    remedy:
      'Let the operator put the account into `members` of the configuration and deploy, or register another bucket.',
  });
}
