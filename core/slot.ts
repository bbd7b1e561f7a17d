import { LedgerholdError } from './errors.ts';
import type { Lease } from './manifest.ts';

/** Another attempt has taken the slot over with a higher fence: whatever this one did now would count for nothing. */
export class StaleFence extends LedgerholdError {
  override readonly name = 'StaleFence';
  readonly kind = 'refused';
}

export type SlotDecision =
  | { readonly outcome: 'sealed' }
  | { readonly outcome: 'running'; readonly lease: Lease }
  | { readonly outcome: 'take'; readonly fence: number; readonly why: 'first' | 'failed' | 'expired' | 'holder gone' };

/**
 * The slot's rule. Its manifest exists: done. A live lease: somebody is at it. Otherwise it is taken with the next
 * fence, so that what the earlier attempt may still write lies apart and is never cited.
 * `holderGone` answers true only if it is certain that the holder's process is no more.
 */
export function decideSlot(
  sealed: boolean,
  latest: Lease | undefined,
  now: Date,
  holderGone: (holder: string) => boolean,
): SlotDecision {
  if (sealed || latest?.state === 'sealed') return { outcome: 'sealed' };
  if (latest === undefined) return { outcome: 'take', fence: 1, why: 'first' };
  const fence = latest.fence + 1;
  if (latest.state === 'failed') return { outcome: 'take', fence, why: 'failed' };
  if (Date.parse(latest.expiresAt) <= now.getTime()) return { outcome: 'take', fence, why: 'expired' };
  if (holderGone(latest.holder)) return { outcome: 'take', fence, why: 'holder gone' };
  return { outcome: 'running', lease: latest };
}

/** How long a lease lives without renewal. A poll every 5 minutes at the most renews it twice over. */
export const LEASE_SECONDS = 900;

/** Past this part of its life a lease is renewed by the next effect, so that a run writes few versions. */
export const needsRenewal = (lease: Lease, now: Date): boolean =>
  Date.parse(lease.expiresAt) - now.getTime() < (LEASE_SECONDS * 1000 * 2) / 3;
