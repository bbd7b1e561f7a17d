import { LedgerholdError } from '../core/errors.ts';
import { type Execution, type Executions, isExecution } from '../core/executions.ts';
import type { Lease } from '../core/manifest.ts';
import type { Vault } from '../core/vault.ts';
import { runPrefix } from '../vault/layout.ts';
import type { Standing } from './standing.ts';

/** What a node's run is at. */
export interface InProgress {
  /** The slot that it is for. */
  readonly run: string;
  readonly since: string;
  readonly step: string;
}

/** Executions that run now, with the node and slot that their input names. */
export type Live = readonly { readonly execution: Execution; readonly node: string; readonly slot: string }[];

/** More at once would be many networks' worth; each costs a call. */
const MOST = 100;

/** What a killed execution ended with. */
export const EXECUTION_GONE = 'ExecutionGone';

export const liveExecutions = async (all: readonly Executions[]): Promise<Live> =>
  (await Promise.all(all.map(liveOf))).flat();

async function liveOf(executions: Executions): Promise<Live> {
  const live: { execution: Execution; node: string; slot: string }[] = [];
  for (const id of (await executions.running()).slice(0, MOST)) {
    const execution = await executions.describe(id);
    const { node, slot } = (execution?.input as { run?: { node?: string; slot?: string } } | undefined)?.run ?? {};
    if (execution === undefined || node === undefined || slot === undefined) continue;
    live.push({ execution, node, slot });
  }
  return live;
}

/**
 * A lease outlives an execution that was ended from outside: whether one still runs, only Step Functions knows. As a
 * process that was killed, it counts as failed.
 */
export function withoutGone(standing: Standing, live: Live): Standing {
  const isGone = ({ holder }: Lease) => isExecution(holder) && !live.some(({ execution: { id } }) => id === holder);
  const [gone] = standing.running.filter(isGone);
  if (gone === undefined) return standing;
  const message = `its execution ended without a word; the next run takes the slot over when the lease ends, at ${gone.expiresAt}`;
  const failed: Lease = { ...gone, state: 'failed', error: { name: EXECUTION_GONE, message } };
  return { ...standing, running: standing.running.filter((lease) => !isGone(lease)), failed };
}

/** From Step Functions where a run of the node's is there, else from the newest live lease and what lies beside it. */
export async function inProgressOf(
  vault: Vault,
  { node, running }: Standing,
  live: Live,
  executions: Executions | undefined,
): Promise<InProgress | undefined> {
  const own = live.find((each) => each.node === node);
  if (own !== undefined && executions !== undefined) {
    const [newest] = await executions.entered(own.execution.id, 0, 1);
    const where = newest?.component === undefined ? '' : `${newest.component}: `;
    return {
      run: own.slot,
      since: own.execution.startedAt.toISOString(),
      step: `${where}${newest?.state ?? 'starting'}`,
    };
  }
  const [lease] = running;
  return lease === undefined ? undefined : { run: lease.slot, ...(await fromReceipts(vault, lease)) };
}

/** Each capture leaves the halves of its receipt: at its start, and at its end. */
async function fromReceipts(vault: Vault, { node, slot, fence, at }: Lease): Promise<Omit<InProgress, 'run'>> {
  const begun = new Map<string, Date>();
  const ended = new Set<string>();
  for await (const { key, modifiedAt } of vault.list(`${runPrefix(node, slot, fence)}receipts/`)) {
    const [, component = '', half] = /([^/]+)\.(start|end)\.json$/.exec(key) ?? [];
    if (half === 'start') begun.set(component, modifiedAt);
    if (half === 'end') ended.add(component);
  }
  const first = Math.min(...[...begun.values()].map((time) => time.getTime()));
  const now = [...begun.keys()].filter((component) => !ended.has(component));
  const step =
    now.length > 0 ? `capturing ${now.join(', ')}` : begun.size > 0 ? 'between captures, or sealing' : 'claimed';
  return { since: begun.size > 0 ? new Date(first).toISOString() : at, step };
}

/** What Step Functions could not be asked, for a screen that goes on without it. */
export async function askedOr<T>(ask: () => Promise<T>, otherwise: T): Promise<{ answer: T; unasked?: string }> {
  try {
    return { answer: await ask() };
  } catch (error) {
    if (error instanceof LedgerholdError) return { answer: otherwise, unasked: error.message };
    throw error;
  }
}
