/** What is measured of a member, from what lies in the vault alone. Instants are ISO 8601, UTC. */
export interface MeasuredMember {
  readonly member: string;
  readonly environmentBackupTarget: boolean;
  /** Of each chain that it wants: since when it lacks something (null: it lacks nothing), and how many blocks. */
  readonly chains: readonly { readonly behindSince: string | null; readonly blocks: number }[];
  readonly totals: { readonly files: number; readonly bytes: number };
  /** 0 to 1. */
  readonly progress: number | null;
}

/** Of the members by name: see `GAUGES`. */
export interface MemberFigures {
  readonly member: string;
  readonly lagSeconds: number;
  readonly lagBlocks: number;
  readonly files: number;
  readonly bytes: number;
  readonly percent: number;
}

/** Delivery comes with each seal and every hour: who lacks what is younger is being served, and costs no metrics. */
const LATE_SECONDS = 3600;
/** Five metrics each, which CloudWatch bills by the hour and name: a network of 10,000 that all lag is told by these. */
export const MOST_MEASURED = 100;

/** Whoever is told by name: backup targets that are late, the furthest behind first. */
export function furthestBehind(members: readonly MeasuredMember[], now: Date): MemberFigures[] {
  return members
    .filter(({ environmentBackupTarget }) => environmentBackupTarget)
    .map((member) => figuresOf(member, now))
    .filter(({ lagSeconds }) => lagSeconds > LATE_SECONDS)
    .toSorted((a, b) => b.lagSeconds - a.lagSeconds || b.lagBlocks - a.lagBlocks)
    .slice(0, MOST_MEASURED);
}

function figuresOf({ member, chains, totals, progress }: MeasuredMember, now: Date): MemberFigures {
  const since = chains.map(({ behindSince }) => behindSince).filter((each) => each !== null);
  return {
    member,
    lagSeconds: Math.max(0, ...since.map((each) => (now.getTime() - Date.parse(each)) / 1000)),
    lagBlocks: chains.reduce((sum, { blocks }) => sum + blocks, 0),
    ...{ files: totals.files, bytes: totals.bytes, percent: Math.floor((progress ?? 0) * 100) },
  };
}
