import { DeliveryRoleUnusable, type Destination, MemberRefused } from './delivery.ts';
import { type BucketDestination, isOnAws } from './destination.ts';
import type { Member, MemberFault } from './members.ts';

/** In place of a destination that may not be: nothing goes there, and a check says why. */
export const refusing = (url: string, fault: MemberFault): Destination => ({
  ...{ url, copies: false },
  put: async () => {
    throw new MemberRefused(fault);
  },
  check: async () => [fault],
});

/**
 * A destination that a deployed delivery may go to, which is a bucket on AWS of the member’s own account; else what is
 * wrong with it: the registry may have been edited, or the list have changed since. `accounts`: by member.
 */
export function destinationOnAws(
  { member, destination }: Member,
  accounts: Readonly<Record<string, string>>,
): BucketDestination | MemberFault {
  if (!isOnAws(destination)) {
    return {
      name: 'NOT_ON_AWS',
      message: `${member} has no bucket on AWS, and nothing else is within reach from there`,
      remedy: 'Register a bucket on AWS, or deliver to this member from the machine that its folder is on.',
    };
  }
  const own = Object.hasOwn(accounts, member) ? accounts[member] : undefined;
  return own === destination.account ? destination : anotherOwner(member, destination.account);
}

/** The network’s list has another account for a member, or none. */
export const anotherOwner = (member: string, account: string): MemberFault => ({
  name: 'ANOTHER_OWNER',
  message: `the bucket of ${member} is said to be of account ${account}, which is not this member’s on the network’s list`,
  remedy:
    'Let the operator put the account into `members` of the configuration and deploy, or register another bucket.',
});

/** A bucket on AWS lets in one role of the operator’s account, and the configuration tells no such account. */
export function withoutRole(member: string): Destination {
  const reject = async (): Promise<never> => {
    throw new DeliveryRoleUnusable(
      `nobody knows whose role the bucket of ${member} lets in: the configuration tells no AWS account of the operator`,
      'Write the `account` of the vault’s bucket on AWS, or deploy the network with `aws`; docs/deliver.md tells which ' +
        'role there has to be.',
    );
  };
  return { url: `the destination of ${member}`, copies: false, put: reject, check: reject };
}
