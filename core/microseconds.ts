/** Microseconds since 1970 (UTC) as ISO 8601, all six digits; undefined beyond the years that a date can name. */
export function isoMicroseconds(microseconds: bigint): string | undefined {
  const fraction = ((microseconds % 1_000_000n) + 1_000_000n) % 1_000_000n;
  const date = new Date(Number((microseconds - fraction) / 1000n));
  if (Number.isNaN(date.getTime())) return undefined;
  return date.toISOString().replace(/\.\d{3}Z$/, `.${String(fraction).padStart(6, '0')}Z`);
}

/** A span such as `5.569876 s`, exactly. */
export function secondsText(microseconds: bigint): string {
  const size = microseconds < 0n ? -microseconds : microseconds;
  const sign = microseconds < 0n ? '-' : '';
  return `${sign}${size / 1_000_000n}.${String(size % 1_000_000n).padStart(6, '0')} s`;
}
