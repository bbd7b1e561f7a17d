import type { InProgress } from '../in-progress.ts';
import type { Standing } from '../standing.ts';
import { ageText, secondsText, table } from './units.ts';

export interface NodeStatus extends Standing {
  readonly everySeconds: number;
  readonly enabled: boolean;
  readonly inProgress: InProgress | undefined;
  /** Why Step Functions could not be asked what runs. */
  readonly unasked?: string;
}

/** When the newest of what a node leaves was sealed, and how often it is to be. */
export interface Due {
  readonly everySeconds: number;
  readonly enabled: boolean;
  readonly last: { readonly value: { readonly sealedAt: string } } | undefined;
}

/** Later than its next run was due, and as long again as half a period: a run takes its time, too. */
export function overdue({ last, everySeconds, enabled }: Due, now: Date): boolean {
  if (!enabled) return false;
  if (last === undefined) return true;
  return (now.getTime() - Date.parse(last.value.sealedAt)) / 1000 > everySeconds * 1.5;
}

export function statusNouns(node: NodeStatus, now: Date): object {
  const { last, capturedAt, running, failed, drill, damaged, inProgress, unasked } = node;
  const ages = Object.entries(capturedAt).map(([component, at]) => [component, secondsSince(at, now)]);
  return {
    ...{ node: node.node, enabled: node.enabled, everySeconds: node.everySeconds, kept: node.kept },
    overdue: overdue(node, now),
    last:
      last === undefined
        ? null
        : {
            ...{ set: `${last.value.node}/${last.value.seq}`, slot: last.value.slot, sealedAt: last.value.sealedAt },
            verdict: last.value.verdict.status,
          },
    rpoSeconds: Object.fromEntries(ages),
    inProgress: inProgress ?? null,
    ...(unasked !== undefined && { unasked }),
    running: running.map(({ slot, fence, holder, at }) => ({ slot, fence, holder, at })),
    failed:
      failed === undefined ? null : { slot: failed.slot, fence: failed.fence, at: failed.at, error: failed.error },
    drill: drill ?? null,
    damaged: damaged.map(({ about, code, text }) => ({ key: about, code, text })),
  };
}

export function statusText(network: string, url: string, nodes: readonly NodeStatus[], now: Date): string[] {
  return [`${network}, in ${url}`, ...nodes.flatMap((node) => ['', ...nodeText(node, now)])];
}

function nodeText(node: NodeStatus, now: Date): string[] {
  const { last, capturedAt, everySeconds } = node;
  const every = node.enabled ? `every ${secondsText(everySeconds)}` : 'not enabled';
  const late = overdue(node, now) ? ', OVERDUE' : '';
  const rows =
    last === undefined
      ? [['last set', `none yet${late}`]]
      : [
          ['last set', `${node.node}/${last.value.seq}, ${ageText(last.value.sealedAt, now)}${late}`],
          ['attested', `order ${last.value.verdict.status}`],
          ...Object.entries(capturedAt).map(([component, at]) => [
            `RPO ${component}`,
            secondsText(secondsSince(at, now)),
          ]),
          ['sets kept', String(node.kept)],
        ];
  return [
    `${node.node}  ${every}`,
    ...table([...rows, ...eventRows(node, now)].map(([a = '', b = '']) => [`  ${a}`, b])),
  ];
}

function eventRows({ running, failed, drill, damaged, inProgress, unasked }: NodeStatus, now: Date): string[][] {
  return [
    ...damaged.map(({ level, text }) => [level === 'violation' ? 'DAMAGED' : 'unreadable', text]),
    ...(inProgress === undefined
      ? []
      : [['in progress', `${inProgress.run}, since ${ageText(inProgress.since, now)}: ${inProgress.step}`]]),
    ...(unasked === undefined ? [] : [['unasked', `${unasked}; what runs is told from the vault alone`]]),
    ...running.map(({ slot, fence, holder, at }) => [
      'running',
      `slot ${slot}, attempt ${fence}, last sign of life ${ageText(at, now)}, ${holder}`,
    ]),
    ...(failed === undefined
      ? []
      : [
          [
            'failed',
            `slot ${failed.slot}, ${ageText(failed.at, now)}: ${failed.error?.name}: ${failed.error?.message}`,
          ],
        ]),
    [
      'drill',
      drill === undefined ? 'never; `ledgerhold drill` measures how long a restore takes' : drillText(drill, now),
    ],
  ];
}

function drillText({ set, outcome, endedAt, rtoMilliseconds }: NonNullable<NodeStatus['drill']>, now: Date): string {
  return `${outcome}, ${set}, ${ageText(endedAt, now)}, recovery took ${secondsText(rtoMilliseconds / 1000)}`;
}

export const secondsSince = (instant: string, now: Date): number =>
  Math.round((now.getTime() - Date.parse(instant)) / 1000);
