import * as z from 'zod';
import { BlockHash, BlockNumber } from '../core/chain.ts';

const Block = z.object({ block: BlockNumber, hash: BlockHash, parent_hash: BlockHash });

/** The history of the service that consortia come from, as far as it is taken over. */
export const KaleidoHistory = z.object({
  history: z.array(
    z.object({
      file: z.string().regex(/^[\w.:+-]+$/, { error: 'is no name of a file' }),
      canonical_chain: z.boolean(),
      start_block: Block,
      end_block: Block,
    }),
  ),
});
export type KaleidoHistory = z.infer<typeof KaleidoHistory>;
