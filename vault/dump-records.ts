import { DumpHeartbeat, type DumpOf, DumpResult, DumpTaskRivalled } from '../core/dump-task.ts';
import { Instant } from '../core/names.ts';
import type { Vault } from '../core/vault.ts';
import { NotADocument, putDocument, readDocument } from './documents.ts';
import { heartbeatKey, numberOf, taskPrefix, taskResultKey } from './layout.ts';

/** Rejects with `DumpTaskRivalled` if the number is taken: another task is at the same capture. */
export async function beat(vault: Vault, of: DumpOf, n: number, now: Date, bytes: number): Promise<void> {
  const format = 'ledgerhold/dump-heartbeat/1';
  const heartbeat: DumpHeartbeat = { format, ...attemptOf(of), n, at: Instant.parse(now.toISOString()), bytes };
  if ((await putDocument(vault, heartbeatKey(of, of.component, n), heartbeat)).won) return;
  throw new DumpTaskRivalled(
    `another task is at ${of.component} of ${of.node}, attempt ${of.fence} at slot ${of.slot}, or was`,
    'Nothing to do for this task; run the whole backup again if its run has failed.',
  );
}

/** A sign of life, with the vault's own word on when it was given. */
export interface SignOfLife {
  readonly bytes: number;
  readonly seenAt: Date;
}

/** The newest; undefined if the task has given none. */
export async function newestBeat(vault: Vault, of: DumpOf): Promise<SignOfLife | undefined> {
  let newest: { key: string; modifiedAt: Date } | undefined;
  for await (const each of vault.list(taskPrefix(of, of.component)))
    if (numberOf(each.key) !== undefined) newest = each;
  if (newest === undefined) return undefined;
  const heartbeat = await readDocument(vault, newest.key, DumpHeartbeat);
  if (heartbeat === undefined) return undefined;
  refuseForeign(newest.key, heartbeat.value, of);
  return { bytes: heartbeat.value.bytes, seenAt: newest.modifiedAt };
}

export async function putResult(vault: Vault, of: DumpOf, outcome: DumpResult['outcome']): Promise<void> {
  const result: DumpResult = { format: 'ledgerhold/dump-result/1', ...attemptOf(of), outcome };
  await putDocument(vault, taskResultKey(of, of.component), result);
}

/** Undefined while there is none. Rejects with `NotADocument` if it is damaged, or another capture's. */
export async function readResult(vault: Vault, of: DumpOf): Promise<DumpResult['outcome'] | undefined> {
  const key = taskResultKey(of, of.component);
  const result = await readDocument(vault, key, DumpResult);
  if (result === undefined) return undefined;
  refuseForeign(key, result.value, of);
  return result.value.outcome;
}

function attemptOf({ network, node, slot, fence, component }: DumpOf): DumpOf {
  return { network, node, slot, fence, component };
}

function refuseForeign(key: string, found: DumpOf, of: DumpOf): void {
  const [said, expected] = [found, of].map((each) => JSON.stringify(attemptOf(each)));
  if (said === expected) return;
  const remedy = 'Compare the object with another copy of the vault.';
  throw new NotADocument(`${key} is about ${said}: moved or replayed`, remedy);
}
