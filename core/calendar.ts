const DAY_MS = 86_400_000;

/** A day of a calendar, counted from Monday 1 January 2001. Day 7 is the Monday after it. */
type DayNumber = number;
const MONDAY = Date.UTC(2001, 0, 1);

/** Days and weeks as a time zone has them. */
export interface Calendar {
  /** The day that an instant lies in. */
  dayNumber(instant: Date): DayNumber;
  /** The first instant of a day, whatever its clocks say then; of a day that was left out: of the next one. */
  startOf(day: DayNumber): Date;
  /** The first instant at which the clocks show so many seconds after a day's midnight; undefined if they leave that out. */
  instantAt(day: DayNumber, seconds: number): Date | undefined;
  /** `2026-11-21`. */
  dayOf(instant: string): string;
  /** ISO 8601: `2026-W47`; the year is the one that the week's Thursday lies in. */
  weekOf(instant: string): string;
}

/** `timeZone`: a name of the IANA database. */
export function calendar(timeZone: string): Calendar {
  const date = new Intl.DateTimeFormat('en', {
    ...{ timeZone, calendar: 'gregory', numberingSystem: 'latn' },
    ...{ year: 'numeric', month: 'numeric', day: 'numeric' },
  });
  const dayNumber = (instant: Date): DayNumber => {
    const parts = new Map(date.formatToParts(instant).map(({ type, value }) => [type, Number(value)]));
    const [year, month, day] = [parts.get('year') ?? 0, parts.get('month') ?? 0, parts.get('day') ?? 0];
    return (Date.UTC(year, month - 1, day) - MONDAY) / DAY_MS;
  };
  // Made when it is asked for: it takes longer than all else here.
  let aheadAt: ReturnType<typeof clocks> | undefined;
  const dayAt = (instant: string) => dayNumber(new Date(instant));
  return {
    dayNumber,
    startOf: (day) => firstInstant(day, dayNumber),
    instantAt: (day, seconds) => {
      aheadAt ??= clocks(timeZone);
      return firstShown(MONDAY + day * DAY_MS + seconds * 1000, aheadAt);
    },
    dayOf: (instant) => nameOf(dayAt(instant)),
    weekOf: (instant) => weekName(dayAt(instant)),
  };
}

/** Zones lie within 26 hours of each other, so a day begins within as many of its beginning in UTC. Exact to a second. */
function firstInstant(day: DayNumber, dayNumber: (instant: Date) => DayNumber): Date {
  const utc = MONDAY + day * DAY_MS;
  let [before, from] = [utc - 26 * 3_600_000, utc + 26 * 3_600_000];
  while (from - before > 1000) {
    const middle = Math.floor((before + from) / 2000) * 1000;
    if (dayNumber(new Date(middle)) >= day) from = middle;
    else before = middle;
  }
  return new Date(from);
}

/** `shown`: what the clocks show, as if they showed UTC. A zone changes them once in two days at most. */
function firstShown(shown: number, aheadAt: ReturnType<typeof clocks>): Date | undefined {
  const around = [shown - DAY_MS, shown + DAY_MS].map((at) => shown - aheadAt(at));
  const found = around.filter((at) => at + aheadAt(at) === shown);
  return found.length === 0 ? undefined : new Date(Math.min(...found));
}

/** By how many milliseconds a zone's clocks are ahead of UTC at an instant, to the second. */
function clocks(timeZone: string): (instant: number) => number {
  const format = new Intl.DateTimeFormat('en', {
    ...{ timeZone, calendar: 'gregory', numberingSystem: 'latn', hourCycle: 'h23' },
    ...{ year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric', second: 'numeric' },
  });
  return (instant) => {
    const parts = new Map(format.formatToParts(new Date(instant)).map(({ type, value }) => [type, Number(value)]));
    const [year = 0, month = 0, day = 0, ...time] = ['year', 'month', 'day', 'hour', 'minute', 'second'].map(
      (type) => parts.get(type as Intl.DateTimeFormatPartTypes) ?? 0,
    );
    return Date.UTC(year, month - 1, day, ...time) - Math.floor(instant / 1000) * 1000;
  };
}

const nameOf = (day: DayNumber): string => new Date(MONDAY + day * DAY_MS).toISOString().slice(0, 10);

function weekName(day: DayNumber): string {
  const monday = Math.floor(day / 7) * 7;
  const year = nameOf(monday + 3).slice(0, 4);
  const firstThursday = firstThursdayOf(Number(year));
  return `${year}-W${String((monday + 3 - firstThursday) / 7 + 1).padStart(2, '0')}`;
}

function firstThursdayOf(year: number): DayNumber {
  const first = (Date.UTC(year, 0, 1) - MONDAY) / DAY_MS;
  const weekday = ((first % 7) + 7) % 7;
  return first + ((3 - weekday + 7) % 7);
}
