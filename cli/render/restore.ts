import type { PassedOver } from '../../core/choose-set.ts';
import type { Artifact } from '../../core/receipts.ts';
import type { Command, RestorePlan, Target } from '../../core/restore-plan.ts';
import type { TargetState } from '../../core/restore-state.ts';
import type { Applied } from '../../local/restore-apply.ts';
import type { Preview } from '../../local/restore-preview.ts';
import type { Undone } from '../../local/restore-undo.ts';
import { ageText, bytesText, table } from './units.ts';

export interface Planned {
  readonly plan: RestorePlan;
  readonly file: string;
  readonly passedOver: readonly PassedOver[];
  /** Has every byte of the set been read? */
  readonly full: boolean;
  readonly now: Date;
}

export const planNouns = ({ plan, file, passedOver, full }: Planned): Record<string, unknown> => ({
  ...{ file, set: plan.set, manifest: plan.manifest, bytes: bytesProof(full), passedOver, plan },
});

const bytesProof = (full: boolean): string => (full ? 'proved' : 'not read; apply proves them while it restores');

export function planText({ plan, file, passedOver, full, now }: Planned): string[] {
  const { set, sealedAt, manifest, accepted, components, deployment, loses, after } = plan;
  return [
    `Restore of ${plan.node} from ${set}, sealed ${sealedAt} (${ageText(sealedAt, now)})`,
    ...table([
      ['  vault', plan.vault],
      ['  manifest', manifest],
      ['  bytes', bytesProof(full)],
      ...accepted.map(({ hazard, why }) => ['  accepted', `${hazard}: ${why}`]),
      ...passedOver.map(({ id, why }) => ['  passed over', `${id}: ${why.join('; ')}`]),
    ]),
    ...list(
      'It brings back:',
      components.map(({ component, target }) => `${component}: ${targetText(target)}`),
    ),
    ...list('It loses:', loses),
    ...commands('First, stop the node:', deployment.stop),
    ...(components.some(({ target }) => target.kind !== 'file')
      ? ['', 'Then, when nothing of it runs any more:', `  ledgerhold restore apply ${file} --fenced --identity FILE`]
      : ['', 'Then restore each file by hand, into a database that is empty: the config that names them is not here.']),
    ...commands('Then start it:', deployment.start),
    ...list('And afterwards:', after),
    ...[
      '',
      `Written to ${file}. Nothing has been changed. \`restore apply --dry-run\` checks it against the databases.`,
    ],
  ];
}

function targetText(target: Target): string {
  switch (target.kind) {
    case 'file':
      return `as a file, by \`${target.how}\``;
    case 'rds':
      return `snapshot ${target.snapshot.id} as ${target.beside}; ${target.snapshot.source} stays as it is`;
    case 'database':
      return `database ${target.database} on ${target.server}; restored as ${target.beside}, the old one stays as ${target.keptAs}`;
  }
}

export const list = (title: string, lines: readonly string[]): string[] =>
  lines.length === 0 ? [] : ['', title, ...lines.map((line) => `  - ${line}`)];

export const commands = (title: string, steps: readonly Command[]): string[] =>
  steps.length === 0 ? [] : ['', title, ...steps.flatMap(({ run, why }) => [`  # ${why}`, `  ${run}`])];

export function previewText(plan: RestorePlan, previews: readonly Preview[]): string[] {
  const free = previews.every(({ visitors }) => visitors.length === 0);
  return [
    `${plan.set} is sound. Nothing has been changed.`,
    ...previews.flatMap(({ component, state, visitors }) => [
      `  ${component}: ${stateText(state)}`,
      ...visitors.map((visitor) => `    in use by ${visitor}`),
    ]),
    free ? 'Nothing is connected to the databases.' : 'Stop what is connected before you apply the plan.',
  ];
}

function stateText(state: TargetState): string {
  switch (state.next) {
    case 'restore':
      return state.beside === 'free' ? 'to be restored' : 'to be restored again, in place of what was left half done';
    case 'switch':
      return 'restored and checked; only the names are to be changed';
    case 'nothing':
      return 'in place';
    case 'stop':
      return `cannot go on: there is a database ${state.taken}, and ${state.why}`;
  }
}

export function appliedText({ node, set, deployment, after }: RestorePlan, applied: readonly Applied[]): string[] {
  return [
    `${node} is restored from ${set}.`,
    ...applied.flatMap(({ component, database, keptAs, lost }) => [
      keptAs === null ? `  ${component}: ${database}` : `  ${component}: ${database}; the old one is ${keptAs}`,
      ...lost.map((setting) => `    not carried over: its setting ${setting}; have a superuser make it`),
    ]),
    ...commands('Now start it:', deployment.start),
    ...list('And afterwards:', after),
  ];
}

const OUTCOMES = { back: 'the old database is back', dropped: 'what was restored is gone', untouched: 'as it was' };

export function undoneText({ set }: RestorePlan, undone: readonly Undone[]): string[] {
  return [
    `The restore from ${set} is taken back.`,
    ...undone.map(({ component, outcome, keptAs }) => {
      const kept = keptAs === null ? '' : `; what was in its place is kept as ${keptAs}`;
      return `  ${component}: ${OUTCOMES[outcome]}${kept}`;
    }),
  ];
}

export function onlyText(set: string, component: string, file: string, { plain, content }: Artifact): string[] {
  return [
    `Wrote ${component} of ${set} to ${file}: ${bytesText(plain.size)}, ${content}.`,
    'It is not encrypted any more, and may hold private keys: remove it when you are done.',
  ];
}
