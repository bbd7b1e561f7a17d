import type { MemberId } from './members.ts';

/** Members that one start step starts. */
export const MEMBERS_A_PAGE = 40;
/** 4,000 names of 43 bytes are 172 of the 256 KiB that a state may have. */
export const PAGES_A_LOOK = 100;

/** In the order of their names: who was looked at first is no reason to be served first. `more`: others are left out. */
export function pagesOf(members: readonly MemberId[]): { readonly pages: MemberId[][]; readonly more: boolean } {
  const inOrder = members.toSorted();
  const count = Math.min(PAGES_A_LOOK, Math.ceil(inOrder.length / MEMBERS_A_PAGE));
  const pages = Array.from({ length: count }, (_, n) => inOrder.slice(n * MEMBERS_A_PAGE, (n + 1) * MEMBERS_A_PAGE));
  return { pages, more: inOrder.length > PAGES_A_LOOK * MEMBERS_A_PAGE };
}
