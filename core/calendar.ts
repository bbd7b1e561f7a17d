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
  const dayAt = (instant: string) => dayNumber(new Date(instant));
  return {
    dayNumber,
    startOf: (day) => firstInstant(day, dayNumber),
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
