/** Every alarm that `serve` can raise, or be the cause of, in one line. Each has a runbook. */
export const ALARMS = {
  RUN_FAILED: 'a run failed; it is tried again until the next one is due',
  ORDER_VIOLATED: 'the databases of a run contradict the order in which they were captured; no set was sealed',
  SET_UNPROVEN: 'a set was sealed, but its positions could not be read, so its order is attested by receipts alone',
  DISK_TOO_FULL: 'a run did not start, since the vault’s disk has no room for its set',
  RPO_EXCEEDED: 'the newest proven set is older than one and a half times `every`',
  RETENTION_FAILED: 'what should expire did not; the vault grows until it does',
  SET_DAMAGED: 'a stored artifact is missing or cut',
  SECOND_VAULT_BEHIND: 'the second vault lacks what the first one has',
  SILENT: 'no ping came: raised by whoever is pinged, when `serve` no longer runs or something else is wrong',
} as const satisfies Readonly<Record<string, string>>;

export type AlarmName = keyof typeof ALARMS;

/** Relative to the package. */
export const runbookOf = (alarm: AlarmName): string => `docs/runbooks/${alarm.toLowerCase().replaceAll('_', '-')}.md`;
