import { Hold } from '../core/hold.ts';
import { Instant, NodeName, Seq } from '../core/names.ts';
import type { Clock } from '../core/ports.ts';
import type { Vault } from '../core/vault.ts';
import { NotADocument, putDocument, readDocument } from './documents.ts';
import { holdKey, holdsPrefix } from './layout.ts';
import { newestNumber } from './numbered.ts';

export interface HoldWish {
  readonly node: string;
  readonly seq: number;
  readonly by: string;
  readonly until: Date;
}

/** Keeps a set from retention until then. Resolves to the hold's key. Of several at once each takes a number. */
export async function holdSet(
  { node, seq, by, until }: HoldWish,
  { vault, clock }: { readonly vault: Vault; readonly clock: Clock },
): Promise<string> {
  const [at, end] = [clock.now(), until].map((date) => Instant.parse(date.toISOString()));
  const what = { node: NodeName.parse(node), seq: Seq.parse(seq), by, at, until: end };
  const ofNode = { prefix: holdsPrefix(node), keyOf: (n: number) => holdKey(node, n) };
  for (let n = (await newestNumber(vault, ofNode)) + 1; ; n += 1) {
    const hold = Hold.parse({ format: 'ledgerhold/hold/1', n, ...what });
    if ((await putDocument(vault, holdKey(node, n), hold)).won) return holdKey(node, n);
  }
}

/** By number of the set: who holds it now. Rejects with `NotADocument`: an unreadable hold may be on any set. */
export async function holdsOn(vault: Vault, node: string, now: Date): Promise<ReadonlyMap<number, string>> {
  const newest = new Map<string, Hold>();
  for await (const { key } of vault.list(holdsPrefix(node))) {
    const hold = (await readDocument(vault, key, Hold))?.value;
    if (hold === undefined) continue;
    if (holdKey(hold.node, hold.n) !== key) {
      throw new NotADocument(`${key} is hold ${hold.n} of ${hold.node}`, 'Compare it with another copy of the vault.');
    }
    newest.set(`${hold.seq} ${hold.by}`, hold);
  }
  const live = [...newest.values()].filter(({ until }) => Date.parse(until) > now.getTime());
  return new Map(live.map(({ seq, by, until }) => [seq, `${by}, until ${until}`]));
}
