import { type Acceptable, type Candidate, type Choice, chooseSet, NoSafeSet } from '../core/choose-set.ts';
import type { Protocol } from '../protocols/protocol.ts';
import type { ProveOptions } from '../vault/sound-set.ts';
import { verify } from '../vault/verify.ts';

export interface SetWish {
  /** Its id; absent for the newest that is good. */
  readonly set?: string;
  /** Not sealed after this. */
  readonly to?: Date;
  readonly accept: readonly Acceptable[];
}

export type Chosen = Extract<Choice<Candidate>, { ok: true }>;

/** A node's set to restore from, and why each newer one was passed over. Rejects with `NoSafeSet`. */
export async function chooseFrom(
  node: string,
  protocol: Protocol,
  wish: SetWish,
  now: Date,
  options: ProveOptions,
): Promise<Chosen> {
  const { sets } = await verify({ ...options, depth: 'structure' });
  const candidates = sets.filter(({ set }) => set.startsWith(`${node}/`)).map(candidateOf);
  const choice = chooseSet(candidates, { ...wish, now, policy: protocol.restore });
  if (!choice.ok) throw new NoSafeSet(choice);
  return choice;
}

type Report = Awaited<ReturnType<typeof verify>>['sets'][number];

/** A manifest that is not there leaves no time, and a set without a time is too old for anything. */
function candidateOf({ set, sealedAt, status, expired, findings }: Report): Candidate {
  const missing = findings.filter(({ code }) => code === 'ARTIFACT_MISSING').map(({ about }) => about);
  return { id: set, seq: Number(set.split('/')[1]), sealedAt: sealedAt ?? 'never', verdict: status, expired, missing };
}
