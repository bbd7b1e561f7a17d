import type { CopyStep } from '../../core/rds-restore.ts';
import type { RestorePlan } from '../../core/restore-plan.ts';
import type { RestoredCopy } from '../../local/restore-snapshots.ts';
import { commands, list } from './restore.ts';

export const copiesText = (
  { set }: RestorePlan,
  copies: readonly { readonly component: string; readonly identifier: string; readonly step: CopyStep }[],
): string[] => [
  `${set} is sound, and its snapshots are there as they were sealed. Nothing has been changed.`,
  ...copies.map(({ component, identifier, step }) => `  ${component}: ${identifier} ${STANDS[step.next]}`),
];

const STANDS: Readonly<Record<CopyStep['next'], string>> = {
  restore: 'is to be made',
  'add-instance': 'is there, and is to be given an instance',
  wait: 'is being made',
  done: 'is available',
  taken: 'belongs to something else',
  failed: 'has failed',
};

export function restoredCopiesText(
  { node, set, deployment, loses, after }: RestorePlan,
  copies: readonly RestoredCopy[],
  unasked: readonly string[],
): string[] {
  const unknown =
    unasked.length === 0
      ? ['What the restored databases say fits the ledger’s laws.']
      : [
          `NOT CHECKED: nobody asked ${unasked.join(', ')} how far it is. Before anything is switched, give \`positions\` in`,
          'the config, and run this again from inside the network: it finds what it has restored and asks.',
        ];
  return [
    `${node} is restored from ${set}, beside the old instances, which are as they were.`,
    ...unknown,
    ...list(
      'Switch the node to these endpoints:',
      copies.map(({ component, identifier, old, endpoint: { host, port } }) => {
        return `${component}: ${host}:${port} (${identifier}, in place of ${old})`;
      }),
    ),
    ...list('It loses:', loses),
    ...commands('Then start it:', deployment.start),
    ...list('And afterwards:', after),
  ];
}
