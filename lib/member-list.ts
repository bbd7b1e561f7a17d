import { initialSettings } from '../config/every.ts';
import { isChainNode } from '../config/order.ts';
import type { Config } from '../config/schema.ts';
import { MemberAccounts } from '../core/member-list.ts';

/** By member the account of a config: a deployed delivery adds to buckets of the member's own alone. */
export const memberAccounts = ({ members = [] }: Pick<Config, 'members'>): MemberAccounts =>
  MemberAccounts.parse(
    Object.fromEntries(members.flatMap((member) => ('account' in member ? [[member.id, member.account]] : []))),
  );

/** What a config says of the API: undefined where it names no member by an account, or nothing is deployed. */
export function memberApiOf({ aws, nodes, members = [] }: Config) {
  const called = memberAccounts({ members: members.filter(({ enabled }) => enabled) });
  if (aws === undefined || Object.keys(called).length === 0) return undefined;
  const chains = nodes.filter(isChainNode).map((node) => [node.name, initialSettings(node)] as const);
  return { members: called, chains: Object.fromEntries(chains) };
}
