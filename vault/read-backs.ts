import type { Member } from '../core/members.ts';
import type { Sha256 } from '../core/names.ts';
import { Seq } from '../core/names.ts';
import { READ_BACK_DAYS, ReadBack } from '../core/read-back.ts';
import type { Vault } from '../core/vault.ts';
import type { ReceiptPorts } from './deliveries.ts';
import { type Document, putSigned } from './documents.ts';
import { proofKey } from './layout.ts';
import { newestOf, PROOFS, signedAt } from './member-documents.ts';
import { publishKey } from './trust.ts';

export interface ReadBacks {
  /** The newest of any destination; what is written next is chained to it. */
  readonly head: Pick<Document<ReadBack>, 'value' | 'sha256'> | undefined;
  /** The newest of the destination that is registered now. */
  readonly newest: ReadBack | undefined;
}

/** Rejects with `NotADocument`. */
export async function readBacksOf(vault: Vault, { member, since }: Member): Promise<ReadBacks> {
  const seq = await newestOf(vault, PROOFS, member);
  if (seq === 0) return { head: undefined, newest: undefined };
  const head = await signedAt(vault, PROOFS, member, seq);
  return { head, newest: head.value.since === since ? head.value : undefined };
}

/** What a turn has to say. */
export type Read = Pick<
  ReadBack,
  'destination' | 'at' | 'day' | 'receipts' | 'whole' | 'after' | 'objects' | 'bytes' | 'unread' | 'fault'
> & {
  /** Objects that the receipts call `there`, and that were read for the first time. */
  readonly newlyProven: number;
};

/** Undefined, and nothing is written, if another turn wrote its own first: it has read the same. */
export async function appendReadBack(
  { vault, signer }: ReceiptPorts,
  member: Member,
  { head, newest }: ReadBacks,
  { newlyProven, ...read }: Read,
): Promise<ReadBacks | undefined> {
  const upTo = [...(newest?.upTo ?? Array.from({ length: READ_BACK_DAYS }, () => 0))];
  if (read.whole) upTo[read.day % READ_BACK_DAYS] = read.receipts;
  const value = ReadBack.parse({
    ...{ format: 'ledgerhold/read-back/1', network: member.network, member: member.member },
    ...{ seq: Seq.parse((head?.value.seq ?? 0) + 1), previous: head?.sha256 ?? null, since: member.since },
    ...{ ...read, upTo, proven: (newest?.proven ?? 0) + newlyProven, signer: await publishKey(vault, signer) },
  });
  const key = proofKey(member.member, value.seq);
  const { won, sha256 }: { won: boolean; sha256: Sha256 } = await putSigned(vault, signer, key, value);
  return won ? { head: { value, sha256 }, newest: value } : undefined;
}
