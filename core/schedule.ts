import { type Calendar, calendar } from './calendar.ts';
import { Slot } from './names.ts';

/** The instants at which a node's runs are due: they depend on nothing but `every` and the time zone. */
export interface Schedule {
  readonly everySeconds: number;
  /** The newest instant that is not after `now`. */
  last(now: Date): Date;
  /** The first instant after `now`. */
  next(now: Date): Date;
}

/** A day on which no clock changes. */
export const DAY_SECONDS = 86_400;

/**
 * Instants start anew at midnight in the time zone, then follow every `everySeconds` of elapsed time. From a day on,
 * they start anew only every so many days that `everySeconds` fits in, counted from a Monday. What would come less than
 * a quarter of `everySeconds` before midnight is left to midnight. So a day of 23 or 25 hours neither repeats nor loses
 * a run, and two that follow each other lie at most 1.25 times `everySeconds` apart.
 */
export function schedule(everySeconds: number, timeZone: string): Schedule {
  const days = calendar(timeZone);
  const span = Math.ceil(everySeconds / DAY_SECONDS);
  const spanOf = (now: Date) => Math.floor(days.dayNumber(now) / span) * span;
  return {
    everySeconds,
    last: (now) => {
      const { start, step, count } = instantsOf(spanOf(now), span, everySeconds, days);
      const passed = Math.floor((now.getTime() - start) / step);
      return new Date(start + Math.min(passed, count - 1) * step);
    },
    next: (now) => {
      const { start, step, count, end } = instantsOf(spanOf(now), span, everySeconds, days);
      const following = Math.floor((now.getTime() - start) / step) + 1;
      return new Date(following < count ? start + following * step : end);
    },
  };
}

/** In milliseconds: `count` instants from `start`, `step` apart; at `end` they start anew. */
function instantsOf(day: number, span: number, everySeconds: number, days: Calendar) {
  const [start, end] = [days.startOf(day).getTime(), days.startOf(day + span).getTime()];
  const step = everySeconds * 1000;
  return { start, end, step, count: countOf(end - start, step) };
}

/** The last n for which n × step ≤ length − step / 4, and so at least one. */
const countOf = (length: number, step: number): number => Math.max(1, Math.ceil((length - step / 4) / step));

/** Seconds after midnight, of a day on which no clock changes; `everySeconds` is a day at most. */
export const instantsOfDay = (everySeconds: number): readonly number[] =>
  Array.from({ length: countOf(DAY_SECONDS, everySeconds) }, (_, n) => n * everySeconds);

/** The slot of a scheduled run is its instant, so that restarts, retries and two servers all mean the same one. */
export const slotAt = (instant: Date): Slot => Slot.parse(instant.toISOString().replace(/\.\d+Z$/, 'Z'));
