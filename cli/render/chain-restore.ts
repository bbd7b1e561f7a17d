import type { ChainRestorePlan } from '../../core/chain-restore-plan.ts';
import type { RestoredHead } from '../chain-client.ts';
import { commands, list } from './restore.ts';
import { ageText, bytesText, table } from './units.ts';

export interface ChainPlanned {
  readonly plan: ChainRestorePlan;
  readonly file: string;
  /** The genesis that was written for the import. */
  readonly genesis?: string;
  readonly now: Date;
}

export const chainPlanNouns = ({ plan, file, genesis }: ChainPlanned): Record<string, unknown> => ({
  ...{ file, set: plan.set, manifest: plan.manifest, head: plan.head, genesis: genesis ?? plan.genesis ?? null, plan },
});

/** Commands shown; the plan file has all of them. */
const SHOWN = 12;

export function chainPlanText({ plan, file, genesis, now }: ChainPlanned): string[] {
  const { set, sealedAt, files, head, steps, accepted } = plan;
  const bytes = files.reduce((sum, each) => sum + each.file.size, 0);
  const more = steps.length - SHOWN;
  return [
    `Restore of the chain ${plan.node} from ${set}, sealed ${sealedAt} (${ageText(sealedAt, now)}), by ${plan.client}`,
    ...table([
      ['  vault', plan.vault],
      ['  manifest', plan.manifest],
      ['  files', `${files.length}, ${bytesText(bytes)}`],
      ['  blocks', `0 to ${head.number}`],
      ['  head', head.hash],
      ...(genesis === undefined ? [] : [['  genesis', `${genesis}, written for the import: same genesis hash`]]),
      ...accepted.map(({ hazard, why }) => ['  accepted', `${hazard}: ${why}`]),
    ]),
    ...list('Not in the files, and to be had from elsewhere:', plan.notInFiles),
    ...list('Beware:', plan.hazards),
    ...['', 'Where the client is at hand:', `  ledgerhold restore apply ${file} --to DATADIR`],
    ...commands('By hand:', steps.slice(0, SHOWN)),
    ...(more > 0 ? [`  … and ${more} more: \`steps\` in ${file} has them all`] : []),
    ...list('And afterwards:', plan.after),
    ...['', `Written to ${file}. Nothing has been changed.`],
  ];
}

export const chainPreviewText = (plan: ChainRestorePlan, datadir: string): string[] => [
  `The history of ${plan.node} is sound up to ${plan.set}, and its client is at hand. Nothing has been changed.`,
  `${plan.files.length} files, blocks 0 to ${plan.head.number}, would become a chain in ${datadir}; their bytes are read then.`,
];

export function chainAppliedText(plan: ChainRestorePlan, datadir: string, head: RestoredHead): string[] {
  return [
    `${plan.node} is restored from ${plan.set} into ${datadir}.`,
    ...table([
      ['  head', `${head.number}, ${head.hash}`],
      ['  state root', head.stateRoot],
      ['  said by', head.client],
    ]),
    ...list('Still to be had from elsewhere:', plan.notInFiles),
    ...list('And then:', plan.after),
  ];
}
