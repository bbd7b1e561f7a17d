import { type Finding, violation } from '../core/proof.ts';
import type { Vault } from '../core/vault.ts';
import { type Document, readDocument } from './documents.ts';
import { numberOf } from './layout.ts';
import type { Kind, OfMember } from './member-documents.ts';
import { orFinding, proveSignature } from './prove-chain.ts';
import type { Trust } from './trust.ts';

/** Small documents, a year's thousands: enough to hide the way to a bucket and back, few enough to be held at once. */
const READS_AT_ONCE = 16;

export interface LinkContext {
  readonly vault: Vault;
  readonly network: string | undefined;
  readonly trust: Trust;
  readonly signal?: AbortSignal;
}

export interface Link<T> {
  /** Undefined: it cannot be read, or is another member's. */
  readonly document: Document<T> | undefined;
  readonly before: Document<T> | undefined;
  readonly findings: readonly Finding[];
}

/** Oldest first, each with what is wrong with it as a link. */
export async function* linksOf<T extends OfMember & { readonly network: string }>(
  context: LinkContext,
  kind: Kind<T>,
  member: string,
  last: number,
): AsyncGenerator<Link<T>> {
  const { schema, keyOf } = kind;
  const read = async (seq: number) => {
    const key = keyOf(member, seq);
    const findings: Finding[] = [];
    const document = await orFinding(findings, key, () => readDocument(context.vault, key, schema));
    if (document !== undefined) findings.push(...(await proveSignature(context, document, document.value.signer)));
    else if (findings.length === 0)
      findings.push(violation('LINK_MISSING', key, `${key} is missing before newer ones`));
    return { document, findings };
  };
  let before: Document<T> | undefined;
  for (let seq = 1, next = 1; seq <= last; seq = next) {
    context.signal?.throwIfAborted();
    next = seq + READS_AT_ONCE;
    const count = Math.min(READS_AT_ONCE, last - seq + 1);
    const page = await Promise.all(Array.from({ length: count }, (_, n) => read(seq + n)));
    for (const [n, { document, findings }] of page.entries()) {
      const cited = seq + n === 1 ? null : before?.sha256;
      if (document !== undefined && cited !== undefined && document.value.previous !== cited)
        findings.push(violation('LINK_BROKEN', document.key, `${document.key} does not cite what lies before it`));
      const foreign = document === undefined ? undefined : foreignTo(context, member, seq + n, document);
      if (foreign !== undefined) findings.push(foreign);
      const own = foreign === undefined ? document : undefined;
      yield { document: own, before, findings };
      before = own;
    }
    // Of a stray far behind nobody reads all the numbers that are missing before it.
    if (page.every(({ document }) => document === undefined)) next = await nextAfter(context.vault, kind, member, next);
  }
}

/** The lowest number from this one on that something lies under; this one, if nothing does. */
async function nextAfter<T extends OfMember>(
  vault: Vault,
  { prefixOf, keyOf }: Kind<T>,
  member: string,
  seq: number,
): Promise<number> {
  for await (const { key } of vault.list(prefixOf(member), keyOf(member, seq - 1))) {
    const found = numberOf(key);
    // Behind the highest number a key has a digit more, and sorts before it.
    if (found !== undefined && found >= seq) return found;
  }
  return seq;
}

function foreignTo<T extends OfMember & { readonly network: string }>(
  { network }: LinkContext,
  member: string,
  seq: number,
  { key, value }: Document<T>,
): Finding | undefined {
  if (value.member === member && value.seq === seq && value.network === (network ?? value.network)) return undefined;
  const text = `${key} holds number ${value.seq} of ${value.member} in ${value.network}: moved or replayed`;
  return violation('LINK_FOREIGN', key, text);
}
