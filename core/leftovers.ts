import type { Lease } from './manifest.ts';

/** A folder `<slot>/<fence>` of one node's runs. */
export interface RunFolder {
  readonly slot: string;
  readonly fence: number;
  /** Does any manifest cite it, sealed or expired? */
  readonly cited: boolean;
  /** The newest version of the slot's lease. */
  readonly lease: Pick<Lease, 'state' | 'fence' | 'at' | 'expiresAt'> | undefined;
}

export interface Leftover<F extends RunFolder = RunFolder> {
  readonly run: F;
  readonly sweep: boolean;
  readonly reason: string;
}

/** A writer that was cut off from the world, but lives, has long given up by then. */
export const SWEEP_GRACE_HOURS = 24;

/** Which folders of runs that never became a set are swept. Whatever is in doubt stays. */
export const leftovers = <F extends RunFolder>(runs: readonly F[], now: Date): Leftover<F>[] =>
  runs.map((run) => {
    const staysBecause = whyStay(run, now);
    const reason = staysBecause ?? `no set cites it, and its slot has been at rest for ${SWEEP_GRACE_HOURS} h`;
    return { run, sweep: staysBecause === undefined, reason };
  });

function whyStay({ cited, lease, fence }: RunFolder, now: Date): string | undefined {
  if (cited) return 'a manifest cites it';
  if (lease === undefined) return 'no lease tells whether its run has ended';
  if (fence > lease.fence) return 'its attempt is newer than the lease: somebody is about to start';
  if (lease.state === 'sealed' && fence === lease.fence)
    return 'its lease says that it was sealed, yet no manifest cites it';
  const endedAt = Date.parse(lease.state === 'held' ? lease.expiresAt : lease.at);
  const hours = (now.getTime() - endedAt) / 3_600_000;
  if (hours > SWEEP_GRACE_HOURS) return undefined;
  return hours < 0 && lease.state === 'held' ? 'its slot has a live lease' : 'its slot ended less than a day ago';
}
