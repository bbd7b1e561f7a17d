import * as z from 'zod';
import { LedgerholdError } from './errors.ts';
import { MemberId } from './members.ts';

/** The network's list: by member the one account that may speak for it, and whose buckets it may have. */
export const MemberAccounts = z.record(MemberId, z.string().regex(/^\d{12}$/));
export type MemberAccounts = z.infer<typeof MemberAccounts>;

/**
 * Beside the code of a Lambda that goes by the list. It is no variable, since Lambda gives 4 KB to all of them together:
 * room for some 80 members, of 10,000.
 */
export const LIST_FILE = 'list.json';

/** What lies beside a Lambda's code is not the list that it goes by. Nobody is served: whom, it cannot tell. */
export class MemberListUnreadable extends LedgerholdError {
  override readonly name = 'MemberListUnreadable';
  readonly kind = 'usage';
}
