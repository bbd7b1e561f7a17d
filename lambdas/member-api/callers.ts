import { ApiRefused, type Route } from '../../core/member-api.ts';
import type { ApiPorts } from './call.ts';
import type { ApiEvent } from './contract.ts';

/** Who has signed a call, as AWS attests it. */
export interface Caller {
  readonly account: string;
  readonly arn: string;
}

/** As the registry keeps it: a user's ARN may have a path of 512 characters. */
const LONGEST_BY = 300;

/** Undefined: nobody has signed. Nothing of it is ever taken from what the caller itself says. */
export function callerOf({ requestContext: { identity } }: ApiEvent): Caller | undefined {
  const { accountId = null, userArn = null } = identity;
  if (accountId === null || userArn === null || userArn === '') return undefined;
  return { account: accountId, arn: userArn.slice(0, LONGEST_BY) };
}

/** Throws `ApiRefused`, the same for a member that is somebody else's and for one that is none: nobody learns who there is. */
export function refuseOthers(
  caller: Caller | undefined,
  who: Route['who'],
  id: string,
  { operator, members }: ApiPorts,
): Caller {
  if (caller === undefined) {
    const remedy = 'Sign it with Signature Version 4, for the service execute-api.';
    throw new ApiRefused('CallerUnknown', 'nobody has signed this call', remedy);
  }
  if (who === 'operator' && caller.account !== operator) {
    const remedy = 'Ask the operator: members see and set nothing of its nodes.';
    throw new ApiRefused('OperatorOnly', `account ${caller.account} is not the operator’s`, remedy);
  }
  if (who === 'member' && (!Object.hasOwn(members, id) || members[id as never] !== caller.account)) {
    const remedy = 'Call with the account that the operator has put on the network’s list for this member.';
    throw new ApiRefused('NotYourMember', `account ${caller.account} does not speak for this member`, remedy);
  }
  return caller;
}
