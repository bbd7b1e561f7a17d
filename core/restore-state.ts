import * as z from 'zod';
import { Instant, Sha256 } from './names.ts';

/** What a database that a restore has made says of itself, as its comment, so that whoever comes next can go on. */
export const RestoreMark = z.strictObject({
  format: z.literal('ledgerhold/restore-mark/1'),
  /** `<node>/<seq>`, and the digest of its manifest. */
  set: z.string(),
  manifest: Sha256,
  /** The artifact that it is made of. */
  artifact: Sha256,
  /** `restoring`: a part at best. `checked`: whole, and what was attested. `in-place`: under the name that the node opens. */
  state: z.enum(['restoring', 'checked', 'in-place']),
  at: Instant,
  /** Who confirmed that the node had been stopped. */
  fencedBy: z.string(),
});
export type RestoreMark = z.infer<typeof RestoreMark>;

/** The mark in a comment; undefined for any other comment. */
export function markIn(comment: string | null | undefined): RestoreMark | undefined {
  if (comment === null || comment === undefined || !comment.startsWith('{')) return undefined;
  try {
    return RestoreMark.safeParse(JSON.parse(comment)).data;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** The three names of a restore's target, as the plan has them. */
export interface TargetNames {
  readonly database: string;
  readonly beside: string;
  readonly keptAs: string;
}

/** What is left to do for one target. */
export type TargetState =
  /** Under `beside` there is nothing, a part (`leftover`), or a database that says nothing of itself (`unmarked`). */
  | { readonly next: 'restore'; readonly beside: 'free' | 'leftover' | 'unmarked' }
  /** It lies beside, whole; `old` tells whether there is a database to keep. */
  | { readonly next: 'switch'; readonly old: boolean }
  | { readonly next: 'nothing'; readonly old: boolean }
  /** A name is in use for something that is not ours to touch. */
  | { readonly next: 'stop'; readonly taken: string; readonly why: string };

/** Tells from the server's databases alone how far a restore has got. `comments` has an entry for each that exists. */
export function targetState(
  { database, beside, keptAs }: TargetNames,
  mine: { readonly manifest: string; readonly artifact: string },
  comments: ReadonlyMap<string, string | null>,
): TargetState {
  const markOf = (name: string) => {
    const mark = markIn(comments.get(name));
    return mark?.manifest === mine.manifest && mark.artifact === mine.artifact ? mark : undefined;
  };
  const kept = comments.has(keptAs);
  if (markOf(database)?.state === 'in-place') return { next: 'nothing', old: kept };
  if (kept) return { next: 'stop', taken: keptAs, why: 'it is what an earlier restore has kept' };
  const mark = markOf(beside);
  if (mark?.state === 'checked') return { next: 'switch', old: comments.has(database) };
  if (mark?.state === 'in-place')
    return { next: 'stop', taken: beside, why: 'it has been in place, and a node may have written to it' };
  if (mark?.state === 'restoring') return { next: 'restore', beside: 'leftover' };
  const comment = comments.get(beside);
  if (comment === undefined) return { next: 'restore', beside: 'free' };
  if (comment === null) return { next: 'restore', beside: 'unmarked' };
  return { next: 'stop', taken: beside, why: 'it is of another restore, or of somebody else' };
}
