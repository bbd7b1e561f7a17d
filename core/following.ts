import * as z from 'zod';
import { NodeName, Seq, Sha256 } from './names.ts';

/** The sealed history of a chain that something beside it was captured after, and the last block in that. */
export const Followed = z.strictObject({
  chain: NodeName,
  seq: Seq,
  /** SHA-256 of the bytes of that manifest of the history. */
  manifest: Sha256,
  block: z.int().min(0),
  hash: z.string(),
});
export type Followed = z.infer<typeof Followed>;

/** How a receipt notes it; a manifest's facts have the same under the component's name. */
export const followedNotes = ({ chain, seq, manifest, block, hash }: Followed): Record<string, string> => ({
  ...{ 'after-chain': chain, 'after-seq': String(seq), 'after-manifest': manifest },
  ...{ 'covers-to-block': String(block), 'covers-to-hash': hash },
});

/** Undefined where nothing is noted; `unreadable` where what is noted is not of this form. */
export function followedIn(notes: Readonly<Record<string, string>>): Followed | 'unreadable' | undefined {
  const chain = notes['after-chain'];
  if (chain === undefined) return undefined;
  const parsed = Followed.safeParse({
    ...{ chain, seq: Number(notes['after-seq']), manifest: notes['after-manifest'] },
    ...{ block: Number(notes['covers-to-block']), hash: notes['covers-to-hash'] },
  });
  return parsed.success ? parsed.data : 'unreadable';
}
