import type { Vault } from '../core/vault.ts';
import { type MemberStatus, memberStatuses } from '../vault/member-status.ts';
import { readMembers, type UnreadableMember } from '../vault/members.ts';
import { lostChainText } from './render/members.ts';

/** Every member of a vault, and what of it cannot be told. */
export interface MemberLook {
  readonly statuses: readonly MemberStatus[];
  /** Of whom the registry, or receipts or proofs, are damaged. */
  readonly unreadable: readonly UnreadableMember[];
  /** A line for each chain that is damaged: how far anybody is with it nobody knows. */
  readonly lost: readonly string[];
}

export async function lookAtMembers(vault: Vault): Promise<MemberLook> {
  const { members, unreadable } = await readMembers(vault);
  const lost: string[] = [];
  const { statuses, damaged } = await memberStatuses(
    vault,
    members.map(({ value }) => value),
    (node, error) => void lost.push(lostChainText(node, error)),
  );
  return { statuses, unreadable: [...unreadable, ...damaged], lost };
}
