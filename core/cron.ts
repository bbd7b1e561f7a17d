import { calendar } from './calendar.ts';
import { LedgerholdError } from './errors.ts';
import { DAY_SECONDS, instantsOfDay } from './schedule.ts';

/** A period whose instants no single line of cron names. */
export class NotACron extends LedgerholdError {
  override readonly name = 'NotACron';
  readonly kind = 'usage';
}

/** The fields of EventBridge's cron, to be read in the schedule's time zone. */
export interface Cron {
  readonly minute: string;
  readonly hour: string;
  /** Either the days of the month or those of the week; of the other one EventBridge wants `?`. */
  readonly day: '*' | '?';
  readonly weekDay: '?' | 'MON';
}

const MIDNIGHT = { minute: '0', hour: '0' } as const;
const WEEK_SECONDS = 7 * DAY_SECONDS;

/**
 * The instants of `schedule(everySeconds, …)` as EventBridge can say them, on every day of 24 hours the same to the
 * second. From the moment at which clocks change until the next midnight, cron follows the clock on the wall, and
 * `schedule` the time that has passed. Throws `NotACron`.
 */
export function cronOf(everySeconds: number): Cron {
  if (everySeconds === WEEK_SECONDS) return { ...MIDNIGHT, day: '?', weekDay: 'MON' };
  if (everySeconds > DAY_SECONDS) throw notACron(everySeconds);
  const times = instantsOfDay(everySeconds);
  const hours = [...new Set(times.map((time) => Math.floor(time / 3600)))];
  const minutes = [...new Set(times.map((time) => (time % 3600) / 60))];
  // Cron names every hour with every minute, and no seconds.
  if (hours.length * minutes.length !== times.length || !minutes.every(Number.isInteger)) throw notACron(everySeconds);
  return { minute: minutes.join(','), hour: hours.length === 24 ? '*' : hours.join(','), day: '*', weekDay: '?' };
}

/**
 * The newest instant that is not after `now` at which EventBridge starts a run of `cronOf(everySeconds)`. It goes by the
 * clock on the wall: a time that the clocks leave out is left out, and of one that they show twice the first counts (User
 * Guide of EventBridge Scheduler, "Daylight savings time on EventBridge Scheduler"). Throws `NotACron`.
 */
export function lastStart(everySeconds: number, timeZone: string, now: Date): Date {
  cronOf(everySeconds);
  const days = calendar(timeZone);
  const weekly = everySeconds === WEEK_SECONDS;
  const times = weekly ? [0] : instantsOfDay(everySeconds).toReversed();
  // Day 0 is a Monday.
  const today = days.dayNumber(now);
  const newest = weekly ? Math.floor(today / 7) * 7 : today;
  for (let day = newest; ; day -= weekly ? 7 : 1) {
    const started = times.map((time) => days.instantAt(day, time)).find((at) => at !== undefined && at <= now);
    if (started !== undefined) return started;
  }
}

/** A chain's runs, one to four a day, from midnight on. */
export const timesADay = (times: 1 | 2 | 3 | 4): Cron => cronOf(DAY_SECONDS / times);

function notACron(everySeconds: number): NotACron {
  return new NotACron(
    `a run every ${everySeconds} seconds cannot be said as one schedule of EventBridge`,
    'Write a divisor of an hour in minutes, whole hours up to 24, 1 day or 1 week; or run this node by `ledgerhold serve`.',
  );
}
