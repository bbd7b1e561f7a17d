import { initialSettings } from '../config/every.ts';
import { isChainNode } from '../config/order.ts';
import type { Config } from '../config/schema.ts';
import { LedgerholdError } from '../core/errors.ts';
import { MemberId } from '../core/members.ts';
import type { ChainDefaults, MemberAccounts } from '../lambdas/member-api/contract.ts';

/** More members and chains than a Lambda's environment can name. */
export class MembersTooMany extends LedgerholdError {
  override readonly name = 'MembersTooMany';
  readonly kind = 'usage';
}

/** Of the 4 KB that Lambda gives to all variables together: some 80 members. */
const LIMIT = 3_300;

/** The list as the API's Lambda is given it. Throws `MembersTooMany`. */
export function namedInEnvironment(members: MemberAccounts, chains: ChainDefaults) {
  const named = { MEMBERS: JSON.stringify(members), CHAINS: JSON.stringify(chains) };
  const size = Buffer.byteLength(named.MEMBERS) + Buffer.byteLength(named.CHAINS);
  if (size <= LIMIT) return named;
  throw new MembersTooMany(
    `the members and chains of the network are ${size} bytes, and a Lambda's environment has room for ${LIMIT}`,
    'Give some members shorter ids, or `enabled: false`: those are registered with `ledgerhold members add`.',
  );
}

/** What a config says of the API: undefined where it names no member by an account, or nothing is deployed. */
export function memberApiOf({ aws, nodes, members = [] }: Config) {
  const called = members.filter((each) => each.enabled && 'account' in each);
  if (aws === undefined || called.length === 0) return undefined;
  const accounts: MemberAccounts = {};
  for (const each of called) if ('account' in each) accounts[MemberId.parse(each.id)] = each.account;
  const chains = nodes.filter(isChainNode).map((node) => [node.name, initialSettings(node)] as const);
  return { members: accounts, chains: Object.fromEntries(chains) };
}
