import * as z from 'zod';
import { Instant, NetworkName, NodeName, Seq, Sha256 } from './names.ts';
import { type Finding, violation } from './proof.ts';

/** One manifest, by its number in its chain. */
export const Seal = z.strictObject({ seq: Seq, sha256: Sha256 });
export type Seal = z.infer<typeof Seal>;

/** A chain of manifests: of a node's sets, or of a chain's history. */
const Kind = z.enum(['chain', 'sets']);

/** What is known of one chain of manifests, in ascending order of numbers; nothing of one that is all in doubt. */
export interface Trail {
  readonly kind: z.infer<typeof Kind>;
  readonly node: string;
  readonly seals: readonly Seal[];
}

/** Manifests remembered of one chain: at four runs a day the last 25 days, so that who lags can still be compared. */
export const SEALS_REMEMBERED = 100;

const follows = (seals: readonly Seal[]): boolean => seals.every(({ seq }, n) => seq === (seals[0]?.seq ?? 0) + n);
const nameOf = ({ kind, node }: { readonly kind: string; readonly node: string }): string => `${kind}/${node}`;

/** What somebody saw at the last visit. Specified in `docs/formats/seen-v1.md`. */
export const Seen = z.strictObject({
  format: z.literal('ledgerhold/seen/1'),
  network: NetworkName,
  chains: z
    .array(
      z.strictObject({
        ...{ kind: Kind, node: NodeName, seenAt: Instant },
        /** The newest ones, without a gap. */
        seals: z.array(Seal).min(1).max(SEALS_REMEMBERED).refine(follows, 'its numbers have a gap'),
      }),
    )
    .refine((chains) => new Set(chains.map(nameOf)).size === chains.length, 'one chain is there twice'),
});
export type Seen = z.infer<typeof Seen>;

const headOf = ({ seals }: Pick<Trail, 'seals'>): Seal | undefined => seals.at(-1);
const twinOf = <T extends Pick<Trail, 'kind' | 'node'>>(trails: readonly T[], one: Pick<Trail, 'kind' | 'node'>) =>
  trails.find((each) => nameOf(each) === nameOf(one));

/** `ours`, as it is kept for the next visit. */
export const seenNow = (network: NetworkName, ours: readonly Trail[], at: Instant): Seen =>
  Seen.parse({
    ...{ format: 'ledgerhold/seen/1', network },
    chains: ours.map(({ kind, node, seals }) => ({ kind, node, seals: seals.slice(-SEALS_REMEMBERED), seenAt: at })),
  });

/** Of each chain what reaches furthest: what is remembered never moves back, whoever is slower. */
export function furthest(seen: Seen | undefined, now: Seen): Seen {
  const merged = new Map((seen?.chains ?? []).map((chain) => [nameOf(chain), chain]));
  for (const chain of now.chains) {
    const before = merged.get(nameOf(chain));
    if (before === undefined || (headOf(before)?.seq ?? 0) <= (headOf(chain)?.seq ?? 0))
      merged.set(nameOf(chain), chain);
  }
  const chains = [...merged].sort(([one], [other]) => (one < other ? -1 : 1)).map(([, chain]) => chain);
  return { ...now, chains };
}

/** What is told here of the past must be what was told before: nothing less, and nothing else. */
export function proveVisit(seen: Seen, network: string | undefined, ours: readonly Trail[]): Finding[] {
  const other = proveSame(seen, network, ours);
  if (other.some(({ code }) => code === 'NETWORK_CHANGED')) return other;
  return [...other, ...seen.chains.flatMap((before) => rolledBack(before, twinOf(ours, before)))];
}

/** The same, of what may have been seen since: less is nothing to wonder at. */
export function proveSame(seen: Seen, network: string | undefined, ours: readonly Trail[]): Finding[] {
  if (network !== undefined && network !== seen.network) {
    const text = `network ${seen.network} was seen here before, and now it is ${network}: another vault, or another memory`;
    return [violation('NETWORK_CHANGED', 'format.json', text)];
  }
  return seen.chains.flatMap((before) => forked(before, twinOf(ours, before), `when it was seen at ${before.seenAt}`));
}

function rolledBack(before: Seen['chains'][number], own: Trail | undefined): Finding[] {
  const [last, now] = [headOf(before), own && headOf(own)];
  if (last === undefined || (now?.seq ?? 0) >= last.seq) return [];
  const ends = now === undefined ? 'nothing of it is left' : `it ends with ${now.seq}`;
  const text = `${before.node} ended with manifest ${last.seq} (${last.sha256}) at ${before.seenAt}, and now ${ends}`;
  return [violation('HISTORY_ROLLED_BACK', `${nameOf(before)}/manifests/`, text)];
}

/**
 * Histories of chains as `where` has them, held against ours. Two manifests with one number are a fork; one of both that
 * is only behind is told, and no obstacle. Sets are no member's business.
 */
export function compareTrails(where: string, theirs: readonly Trail[], ours: readonly Trail[]): Finding[] {
  const histories = ({ kind }: Trail): boolean => kind === 'chain';
  const missing = ours.filter((own) => histories(own) && twinOf(theirs, own) === undefined);
  return [
    ...theirs.filter(histories).flatMap((their) => compareTrail(where, their, twinOf(ours, their))),
    ...missing.flatMap((own) => lag(own.node, headOf(own)?.seq ?? 0, where, 0)),
  ];
}

function compareTrail(where: string, their: Trail, own: Trail | undefined): Finding[] {
  const fork = forked(their, own, `at ${where}`);
  const [here, there] = [(own && headOf(own)?.seq) ?? 0, headOf(their)?.seq];
  const first = their.seals[0]?.seq;
  if (fork.length > 0 || first === undefined || there === undefined) return fork;
  if (own === undefined || here >= first) return lag(their.node, here, where, there);
  const text = `${where} knows manifests ${first} to ${there} of ${their.node}, and here it ends with ${here}: compare when it has caught up`;
  return [{ level: 'unknown', code: 'COMPARISON_OUT_OF_REACH', about: `${nameOf(their)}/manifests/`, text }];
}

function forked(their: Trail, own: Trail | undefined, where: string): Finding[] {
  const known = new Map(own?.seals.map(({ seq, sha256 }) => [seq, sha256]));
  const differs = their.seals.find(({ seq, sha256 }) => known.has(seq) && known.get(seq) !== sha256);
  if (differs === undefined) return [];
  const { seq, sha256 } = differs;
  const text = `manifest ${seq} of ${their.node} is ${known.get(seq)} here, and ${sha256} ${where}`;
  return [violation('HISTORY_FORKED', `${nameOf(their)}/manifests/`, text)];
}

function lag(node: string, here: number, where: string, there: number): Finding[] {
  if (here === there) return [];
  const text = `${node} ends with manifest ${here} here, and with ${there} at ${where}: ${here < there ? 'this vault' : 'that one'} is behind`;
  return [{ level: 'note', code: 'HISTORY_LAGS', about: `chain/${node}/manifests/`, text }];
}
