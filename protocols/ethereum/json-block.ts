import * as z from 'zod';
import { blockHash } from './block-hash.ts';
import { bodyChecker } from './body.ts';
import { BlockDamaged, RlpInvalid } from './errors.ts';
import { rulesOf } from './hash-rules.ts';
import { HEADER, LATER_HEADER, listOf, listsOf, TRANSACTIONS, WITHDRAWAL } from './json-fields.ts';
import { hex, type Keccak } from './keccak.ts';
import { newLayout, readLayout } from './layout.ts';
import { encodeRlp, type RlpItem } from './rlp-write.ts';
import { BlockNotRebuilt } from './rpc-errors.ts';

const Shown = z.looseObject({
  hash: z.string().regex(/^0x[0-9a-f]{64}$/i),
  transactions: z.array(
    z.looseObject({
      type: z
        .string()
        .regex(/^0x[0-9a-f]{1,2}$/i)
        .nullish(),
    }),
  ),
  uncles: z.array(z.string()).default([]),
  withdrawals: z.array(z.unknown()).nullish(),
});
type Shown = z.infer<typeof Shown>;

/** Makes a block's bytes from `eth_getBlockByNumber(n, true)` and its ommers; throws `BlockNotRebuilt` unless proved. */
export type RebuildBlock = (block: unknown, ommers: readonly unknown[]) => Uint8Array;

/**
 * Bytes are accepted only if they hash, by the chain's rule, to what the node reports, and if transactions, ommers and
 * withdrawals are those that the header commits to: a field that a client shows in another way cannot slip in.
 */
export function blockRebuilder(keccak: Keccak): RebuildBlock {
  const layout = newLayout();
  const check = bodyChecker(keccak);

  function prove(bytes: Uint8Array, reported: string): void {
    readLayout(bytes, 0, bytes.length, layout);
    const hashes = rulesOf(bytes, layout, 'auto').map((rule) => hex(blockHash(bytes, layout, rule, keccak)));
    if (!hashes.includes(reported)) {
      throw new BlockNotRebuilt(`block ${layout.number} would be ${hashes[0]}, and the node calls it ${reported}`);
    }
    check(bytes, layout);
  }

  return (block, ommers) => {
    try {
      const shown = Shown.parse(block);
      if (ommers.length !== shown.uncles.length) {
        throw new BlockNotRebuilt(`${ommers.length} of its ${shown.uncles.length} ommers are known`);
      }
      const bytes = encodeRlp(itemsOf(shown, ommers));
      prove(bytes, shown.hash.toLowerCase());
      return bytes;
    } catch (error) {
      throw notRebuilt(error);
    }
  };
}

function notRebuilt(error: unknown): unknown {
  if (error instanceof BlockDamaged || error instanceof RlpInvalid) {
    return new BlockNotRebuilt(error.message, { cause: error });
  }
  if (!(error instanceof z.ZodError)) return error;
  const [issue] = error.issues;
  return new BlockNotRebuilt(`a field of it is missing or of another form (${issue?.path.join('.') || issue?.code})`);
}

function itemsOf(shown: Shown, ommers: readonly unknown[]): RlpItem {
  return [
    headerOf(shown),
    shown.transactions.map(transactionOf),
    ommers.map(headerOf),
    ...(shown.withdrawals === undefined || shown.withdrawals === null ? [] : [listsOf(WITHDRAWAL)(shown.withdrawals)]),
  ];
}

/** As many of the later fields as there are; a gap shows as a hash that is not the reported one. */
function headerOf(value: unknown): RlpItem {
  const header = z.record(z.string(), z.unknown()).parse(value);
  const later = LATER_HEADER.filter(([name]) => header[name] !== undefined && header[name] !== null);
  return listOf([...HEADER, ...later])(header);
}

function transactionOf(shown: Shown['transactions'][number]): RlpItem {
  const type = Number(shown.type ?? 0);
  const fields = TRANSACTIONS[type];
  if (fields === undefined) throw new BlockNotRebuilt(`a transaction has the type ${type}, which is not known here`);
  // Some clients show the parity of the signature as `v` alone.
  const list = listOf(fields)({ ...shown, yParity: shown['yParity'] ?? shown['v'] });
  return type === 0 ? list : Buffer.concat([Uint8Array.of(type), encodeRlp(list)]);
}
