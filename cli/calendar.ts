/** The day of an instant in a time zone, `2026-11-21`. */
export function dayIn(timeZone: string): (instant: string) => string {
  // Sweden writes dates as ISO 8601 does.
  const format = new Intl.DateTimeFormat('sv-SE', { timeZone, year: 'numeric', month: '2-digit', day: '2-digit' });
  return (instant) => format.format(new Date(instant));
}

/** The week of an instant in a time zone by ISO 8601, `2026-W47`: it begins on Monday and belongs to its Thursday's year. */
export function weekIn(timeZone: string): (instant: string) => string {
  const dayOf = dayIn(timeZone);
  return (instant) => {
    const day = new Date(`${dayOf(instant)}T00:00:00Z`);
    const thursday = new Date(day.getTime() + (4 - (day.getUTCDay() || 7)) * DAY_MS);
    const newYear = Date.UTC(thursday.getUTCFullYear(), 0, 1);
    const week = Math.floor((thursday.getTime() - newYear) / DAY_MS / 7) + 1;
    return `${thursday.getUTCFullYear()}-W${String(week).padStart(2, '0')}`;
  };
}

const DAY_MS = 86_400_000;
