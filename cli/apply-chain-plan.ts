import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isNativeError } from 'node:util/types';
import type { ChainRecord } from '../core/chain.ts';
import type { ChainRestorePlan } from '../core/chain-restore-plan.ts';
import { PlanOutdated } from '../local/restore-errors.ts';
import { type HistoryProof, refuseDoubt, type SoundHistory, soundHistory } from '../local/sound-history.ts';
import type { ClientPlaces } from '../protocols/ethereum/client-commands.ts';
import { chainFileKey } from '../vault/layout.ts';
import { findClient, type RestoredHead } from './chain-client.ts';
import { type RestoreAttempt, restoreChain } from './chain-restore.ts';
import { ClientFailed, DatadirNotEmpty } from './chain-restore-errors.ts';

export interface ChainApplyOptions extends HistoryProof {
  readonly places: ClientPlaces;
  /** What the client's programs inherit. */
  readonly environment: NodeJS.ProcessEnv;
  readonly onStep?: (text: string) => void;
  readonly batchBytes?: number;
}

/**
 * All that can be checked without making anything. Resolves to the program and what it is to import. Rejects with
 * `ClientMissing`, `DatadirNotEmpty`, `PlanOutdated`, `SetNotProven` or `HistoryDamaged`.
 */
export async function checkChainPlan(plan: ChainRestorePlan, options: ChainApplyOptions) {
  const binary = await findClient(options.places.binary, options.environment);
  if ((await contentsOf(options.places.datadir)).length > 0) throw new DatadirNotEmpty(options.places.datadir);
  return { binary, records: await plannedRecords(plan, options) };
}

/**
 * Imports exactly the plan's blocks into a data directory that is new or empty, and checks the head. Where that does not
 * come to its end the directory is left empty again: half a chain is no node's. Rejects as `checkChainPlan` or
 * `restoreChain` does.
 */
export async function applyChainPlan(plan: ChainRestorePlan, options: ChainApplyOptions): Promise<RestoredHead> {
  const { datadir } = options.places;
  const { binary, records } = await checkChainPlan(plan, options);
  const work = join(datadir, WORK);
  await claim(datadir, work);
  try {
    const head = await restoreChain(
      { ...options, places: { ...options.places, binary }, work, client: plan.client, records },
      told(options.onStep ?? (() => {})),
    );
    if (head === undefined) throw new TypeError('a restore that neither failed nor ended');
    await rm(work, { recursive: true, force: true });
    return head;
  } catch (error) {
    await emptied(datadir);
    throw error;
  }
}

/** On the disk that is to hold the chain: where that has room, a batch of its blocks has. */
const WORK = '.ledgerhold-restore';

/** What a new file system brings, for root alone. */
const NO_CONTENT = ['lost+found'];

/** None where there is no folder yet. Rejects with `DatadirNotEmpty` for what is no folder. */
async function contentsOf(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).filter((name) => !NO_CONTENT.includes(name));
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return [];
    if (codeOf(error) === 'ENOTDIR') throw new DatadirNotEmpty(folder);
    throw new ClientFailed(`${folder} cannot be read`, codeOf(error) ?? String(error));
  }
}

/** Of several that begin at once one goes on. */
async function claim(datadir: string, work: string): Promise<void> {
  try {
    // Its parent must be there: where a file system takes no folders, Node's own making of parents never ends.
    await mkdir(datadir, { mode: 0o700 }).catch((error) => {
      if (codeOf(error) !== 'EEXIST') throw error;
    });
    await mkdir(work, { mode: 0o700 });
  } catch (error) {
    if (codeOf(error) === 'EEXIST') throw new DatadirNotEmpty(datadir);
    throw new ClientFailed(`${datadir} cannot be made`, codeOf(error) ?? String(error));
  }
}

const codeOf = (error: unknown): string | undefined =>
  isNativeError(error) && 'code' in error && typeof error.code === 'string' ? error.code : undefined;

async function emptied(folder: string): Promise<void> {
  for (const name of await contentsOf(folder)) await rm(join(folder, name), { recursive: true, force: true });
}

/** The plan's files, as long as the chain has not left any: what has come behind them since speaks against nothing. */
async function plannedRecords(plan: ChainRestorePlan, options: HistoryProof): Promise<readonly ChainRecord[]> {
  const history = await soundHistory(plan.node, options);
  if (plan.accepted.length === 0) refuseDoubt(history);
  const records = history.records.slice(0, plan.files.length);
  if (!samePlan(plan, history, records)) {
    throw new PlanOutdated(`the history of ${plan.node} is no longer the one it was made from`);
  }
  return records;
}

function samePlan(
  { seq, manifest, head, files }: ChainRestorePlan,
  history: SoundHistory,
  records: readonly ChainRecord[],
) {
  const { value, sha256 } = history.head;
  if (value.seq < seq || (value.seq === seq && sha256 !== manifest)) return false;
  const end = records.at(-1)?.end;
  const same = files.every(({ key, file }, n) => {
    const record = records[n];
    return (
      record !== undefined && chainFileKey(record.node, record.file.name) === key && record.file.sha256 === file.sha256
    );
  });
  return same && end?.number === head.number && end.hash === head.hash;
}

/** Steps as they begin and end, for people; the first that fails ends all. */
const told =
  (tell: (text: string) => void): RestoreAttempt =>
  async (name, work) => {
    tell(name);
    const { value, text } = await work();
    tell(`${name}: done, ${text}`);
    return value;
  };
