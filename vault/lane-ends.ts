/** Others would have had to wait for this member, or it takes something else now: it goes on alone. */
export class FellBehind extends Error {
  override readonly name = 'FellBehind';
}

/** The member, or the operator, has changed what it is to get while it was under way. */
export class Withdrawn extends Error {
  override readonly name = 'Withdrawn';
}
