import { isReadable, type StoredSet, type UnreadableSet } from '../../vault/sets.ts';
import type { Signature } from '../signatures.ts';
import { ageText, bytesText, table } from './units.ts';

/** One set as programs get it in a list. */
export function setBrief({ id, manifest, tombstone }: StoredSet, signature?: Signature): object {
  const { node, seq, slot, fence, reason, sealedAt, verdict, components } = manifest.value;
  return {
    ...{ set: id, node, seq, slot, fence, reason, sealedAt, verdict: verdict.status },
    state: tombstone === undefined ? 'kept' : 'expired',
    bytes: bytesOf(components),
    components: components.map(({ component }) => component),
    manifest: manifest.sha256,
    ...(signature === undefined ? {} : { signature }),
  };
}

/** The same of one that cannot be read: `damaged`, or of a format that only a newer version knows. */
export function unreadableBrief({ id, fault }: UnreadableSet): object {
  const [node, seq] = id.split('/');
  return { set: id, node, seq: Number(seq), state: unreadableState(fault), error: fault.message };
}

const unreadableState = ({ kind }: UnreadableSet['fault']) => (kind === 'violation' ? 'damaged' : 'unreadable');

export function setsText(
  sets: readonly (StoredSet | UnreadableSet)[],
  url: string,
  now: Date,
  signatures?: ReadonlyMap<string, Signature>,
): string[] {
  if (sets.length === 0) return [`No sets in ${url} yet. The first comes with \`ledgerhold backup\`.`];
  const rows = sets.map((set) =>
    isReadable(set)
      ? [...rowOf(set, now), ...(signatures === undefined ? [] : [signatures.get(set.id) ?? ''])]
      : [set.id, '-', '-', unreadableState(set.fault), '-', '-', ...(signatures === undefined ? [] : ['-'])],
  );
  const noun = sets.length === 1 ? '1 set' : `${sets.length} sets`;
  return [
    ...table([[...HEAD, ...(signatures === undefined ? [] : ['SIGNATURE'])], ...rows]),
    '',
    ...sets.flatMap((set) => (isReadable(set) ? [] : [`${set.id}: ${set.fault.message}. ${set.fault.remedy}`])),
    `${noun} in ${url}. What is attested is proved by \`ledgerhold verify\`.`,
  ];
}

const rowOf = ({ id, manifest: { value }, tombstone }: StoredSet, now: Date): string[] => [
  id,
  value.slot,
  ageText(value.sealedAt, now),
  tombstone === undefined ? value.verdict.status : 'expired',
  bytesText(bytesOf(value.components)),
  value.reason,
];

const HEAD = ['SET', 'SLOT', 'SEALED', 'ATTESTED', 'SIZE', 'REASON'];

export const bytesOf = (components: readonly { readonly artifacts: readonly { readonly size: number }[] }[]): number =>
  components.flatMap(({ artifacts }) => artifacts).reduce((sum, { size }) => sum + size, 0);
