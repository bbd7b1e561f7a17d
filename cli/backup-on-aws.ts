import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod';
import type { DatabaseNode } from '../config/nodes.ts';
import { componentsOf } from '../config/order.ts';
import { type Execution, ExecutionAborted, type Executions, executionName, FailedOnAws } from '../core/executions.ts';
import { ComponentName } from '../core/names.ts';
import type { Run } from '../core/run.ts';
import { readManifest } from '../vault/sets.ts';
import type { Loaded } from './context.ts';
import { errorPage } from './error-pages.ts';
import { Interrupted } from './exit-codes.ts';
import { type BackupRequest, type BackupResult, slotRunning } from './run-backup.ts';
import type { Shell } from './shell.ts';
import { openVault } from './vaults.ts';

/** What is refused is told at once; later seldom enough for the service's limits, with several people looking. */
const FOLLOW_MS = { first: 200, most: 3_000 };
/** States entered between two looks; older ones of a burst are not told. */
const NEWS = 200;
/** As the schedules of a deployed node have it. */
const POLL_SECONDS = 30;

/** What a run's execution ends with, as far as it is told. */
const Ended = z.object({
  claimSlot: z.object({ outcome: z.enum(['taken', 'sealed', 'running']), fence: z.int(), set: z.string() }),
  sealManifest: z.object({ set: z.string() }).optional(),
});

/**
 * One run on AWS: started, followed to its end, and told like one of this machine. Interrupted, it leaves the run going.
 * Rejects with the error that ended it there, by its name.
 */
export async function backupOnAws(
  shell: Shell,
  loaded: Loaded,
  node: DatabaseNode,
  request: BackupRequest,
  executions: Executions,
): Promise<BackupResult & { readonly execution: string }> {
  const run = runOf(loaded, node, request);
  const id = await executions.start(executionName(node.name, request.slot, shell.clock.now()), { run });
  shell.note(`started ${id}`);
  const state = Ended.parse(await outputOf(await follow(shell, id, executions)));
  const { claimSlot, sealManifest } = state;
  if (claimSlot.outcome === 'running') throw slotRunning(request.slot, claimSlot.fence);
  const vault = await openVault(loaded.config.vault, loaded.path);
  const set = sealManifest?.set ?? claimSlot.set;
  const manifest = await readManifest(vault, run.node, Number(set.split('/')[1]));
  if (manifest === undefined) throw new Error(`the set ${set} was sealed, and its manifest is not to be found`);
  return { outcome: sealManifest === undefined ? 'already-sealed' : 'sealed', set, manifest, vault, execution: id };
}

function runOf({ config }: Loaded, node: DatabaseNode, { slot, reason }: BackupRequest): Run {
  const components = componentsOf(node, []).map(({ component, role }) => ({
    component: ComponentName.parse(component),
    role,
  }));
  const { name, protocol, maxSpread } = node;
  return {
    network: config.network,
    node: name,
    protocol,
    components,
    slot,
    reason,
    pollSeconds: POLL_SECONDS,
    maxSpreadSeconds: maxSpread,
  };
}

async function follow({ signal, note }: Shell, id: string, executions: Executions): Promise<Execution> {
  const told = new Set<string>();
  let last = 0;
  try {
    for (let pause = FOLLOW_MS.first; ; pause = Math.min(pause * 2, FOLLOW_MS.most)) {
      // Looked at before its history: so what is told of one that has ended is all of it.
      const execution = await executions.describe(id);
      for (const { event, state, component } of await executions.entered(id, last, NEWS)) {
        last = event;
        const line = component === undefined ? state : `${component}: ${state}`;
        if (!told.has(line)) note(line);
        told.add(line);
      }
      if (execution !== undefined && execution.status !== 'running') return execution;
      await sleep(pause, undefined, { signal });
    }
  } catch (error) {
    if (signal.reason instanceof Interrupted) {
      signal.reason.remedy = `The run goes on, on AWS: \`ledgerhold status\` shows it. To end it: aws stepfunctions stop-execution --execution-arn ${id}`;
    }
    throw error;
  }
}

async function outputOf({ id, status, output, error }: Execution): Promise<unknown> {
  if (status === 'succeeded') return output;
  if (error === undefined) {
    const remedy = 'Back up again: when its lease has expired, 15 minutes at most, the next run takes the slot over.';
    throw new ExecutionAborted(`${id} was ${status} before the set was sealed`, remedy);
  }
  const { kind, remedy } = await errorPage(error.name);
  const elsewhere = `See the execution's history: aws stepfunctions get-execution-history --execution-arn ${id}`;
  throw new FailedOnAws(error.name, kind, messageOf(error.cause), remedy ?? elsewhere);
}

/** A Lambda's cause is JSON with the message in it; Step Functions' own is the message. */
function messageOf(cause: string): string {
  try {
    return z.object({ errorMessage: z.string() }).parse(JSON.parse(cause)).errorMessage;
  } catch {
    return cause;
  }
}
