import type { ChainStanding } from '../chain-standing.ts';
import { overdue, secondsSince } from './status.ts';
import { ageText, bytesText, secondsText, table } from './units.ts';

export interface ChainStatus extends ChainStanding {
  readonly everySeconds: number;
  readonly enabled: boolean;
}

export function chainStatusNouns(chain: ChainStatus, now: Date): object {
  const { node, enabled, everySeconds, last, files, bytes, orphaned, running, failed, damaged } = chain;
  const [lease] = running;
  return {
    ...{ node, enabled, everySeconds, files, bytes, orphaned, overdue: overdue(chain, now) },
    last:
      last === undefined
        ? null
        : { seq: last.value.seq, slot: last.value.slot, sealedAt: last.value.sealedAt, head: last.value.head },
    rpoSeconds: last === undefined ? null : secondsSince(last.value.sealedAt, now),
    inProgress: lease === undefined ? null : { run: lease.slot, since: lease.at },
    failed:
      failed === undefined ? null : { slot: failed.slot, fence: failed.fence, at: failed.at, error: failed.error },
    damaged: damaged.map(({ about, code, text }) => ({ key: about, code, text })),
  };
}

export function chainStatusText(chain: ChainStatus, now: Date): string[] {
  const { node, last, files, bytes, orphaned, running, failed, damaged } = chain;
  const every = chain.enabled ? `every ${secondsText(chain.everySeconds)}` : 'not enabled';
  const late = overdue(chain, now) ? ', OVERDUE' : '';
  const head = last?.value.head;
  return [
    `${node}  chain, ${every}`,
    ...table([
      ['  last run', last === undefined ? `none yet${late}` : `${ageText(last.value.sealedAt, now)}${late}`],
      ...(head === null || head === undefined
        ? []
        : [['  history', `blocks 0 to ${head.number}, ${files} files, ${bytesText(bytes)}`]]),
      ...(orphaned === 0 ? [] : [['  left', `${orphaned} files that the chain has left`]]),
      ...damaged.map(({ text }) => ['  DAMAGED', text]),
      ...running.map(({ slot, fence, at }) => [
        '  running',
        `slot ${slot}, attempt ${fence}, last sign of life ${ageText(at, now)}`,
      ]),
      ...(failed === undefined
        ? []
        : [
            [
              '  failed',
              `slot ${failed.slot}, ${ageText(failed.at, now)}: ${failed.error?.name}: ${failed.error?.message}`,
            ],
          ]),
    ]),
  ];
}
