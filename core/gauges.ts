/** Where CloudWatch keeps what we measure ourselves. */
export const NAMESPACE = 'Ledgerhold';

/**
 * All that the watchdog and the delivery measure, each from what really lies there. A measure that could not be taken is not given a
 * value: its absence is what an alarm sees.
 */
export const GAUGES = {
  /**
   * Since the newest proven set's capture of the component began: what is newer is in no set. Of a chain whose times a day
   * were set in the vault, in proportion to the configured ones, by which its alarm goes; 0 while it is switched off.
   */
  RpoAge: { unit: 'Seconds', of: ['network', 'node', 'component'] },
  /** Since the newest slot was due, as long as nobody has claimed it; 0 once somebody has. */
  ScheduleSilence: { unit: 'Seconds', of: ['network', 'node'] },
  /** Since the slot was due that a scheduled run is at; 0 if none runs, and when its lease has run out. */
  RunningFor: { unit: 'Seconds', of: ['network', 'node'] },
  /** What contradicts the order: in the newest set, or in the newest attempt, which was then refused. */
  OrderViolations: { unit: 'Count', of: ['network', 'node'] },
  /** What of the newest set can be neither proved nor refuted. */
  Unproven: { unit: 'Count', of: ['network', 'node'] },
  /** What of the newest set is not as it was sealed: documents, signatures, files, snapshots. */
  Damages: { unit: 'Count', of: ['network', 'node'] },
  /** 1 if the newest attempt at a chain ended since its validators agree on no block. */
  ConsensusStalls: { unit: 'Count', of: ['network', 'node'] },
  /** Secrets of the node’s identities that nobody can use, or that are not those of the newest set. */
  IdentityFaults: { unit: 'Count', of: ['network', 'node'] },
  /** Since the newest recorded drill ended. */
  DrillAge: { unit: 'Seconds', of: ['network', 'node'] },
  /** 1 if the newest recorded drill did not pass. */
  DrillFailed: { unit: 'Count', of: ['network', 'node'] },
  /** Keys that backups need, and that are disabled or on their way to deletion. */
  KeysEndangered: { unit: 'Count', of: ['network'] },
  /** Of the account’s quota of manual snapshots, of instances or of clusters, whichever is fuller. */
  SnapshotQuotaUsed: { unit: 'Percent', of: ['network'] },
  /** Nodes that the watchdog could read the vault for; 1 where none was expected of its turn. */
  NodesWatched: { unit: 'Count', of: ['network'] },
  /** Of the delivery, each hour: members whose store refuses us, who lack what is old, and whose backfill stands still. */
  MembersSuspended: { unit: 'Count', of: ['network'] },
  MembersLagging: { unit: 'Count', of: ['network'] },
  BackfillsStalled: { unit: 'Count', of: ['network'] },
  /** Of backup targets that lack what was sealed more than an hour ago, the furthest behind: see `core/member-gauges.ts`. */
  MemberLag: { unit: 'Seconds', of: ['network', 'member'] },
  MemberLagBlocks: { unit: 'Count', of: ['network', 'member'] },
  MemberFiles: { unit: 'Count', of: ['network', 'member'] },
  MemberBytes: { unit: 'Bytes', of: ['network', 'member'] },
  /** Of the blocks of all chains that it wants. */
  MemberProgress: { unit: 'Percent', of: ['network', 'member'] },
  NodesUnreadable: { unit: 'Count', of: ['network'] },
} as const satisfies Readonly<Record<string, Gauge>>;

interface Gauge {
  readonly unit: 'Seconds' | 'Count' | 'Percent' | 'Bytes';
  readonly of: readonly Dimension[];
}

export type Dimension = 'network' | 'node' | 'component' | 'member';
export type GaugeName = keyof typeof GAUGES;

/** What a value is of: each dimension of its gauge, and no other. */
export type Of<Name extends GaugeName> = Readonly<Record<(typeof GAUGES)[Name]['of'][number], string>>;
