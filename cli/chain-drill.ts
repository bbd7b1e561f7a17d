import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ChainRecord } from '../core/chain.ts';
import { Instant, setId } from '../core/names.ts';
import type { Clock } from '../core/ports.ts';
import type { DrillResult } from '../local/drill.ts';
import { type Attempt, type DrillStep, type StepOptions, stepper, worst } from '../local/drill-steps.ts';
import { type HistoryProof, refuseDoubt, type SoundHistory, soundHistory } from '../local/sound-history.ts';
import type { ClientPlaces } from '../protocols/ethereum/client-commands.ts';
import type { Client } from '../protocols/ethereum/clients.ts';
import { readHead } from '../vault/chain.ts';
import { HISTORY } from '../vault/history.ts';
import { NoSuchSet } from '../vault/sets.ts';
import { findClient } from './chain-client.ts';
import { restoreChain } from './chain-restore.ts';

export interface ChainDrillOptions extends HistoryProof, StepOptions {
  readonly client: Client;
  readonly places: Omit<ClientPlaces, 'datadir'>;
  /** What the client's programs inherit. */
  readonly environment: NodeJS.ProcessEnv;
  readonly clock: Clock;
  /** Where the chain may use disk for a while; default: the system's folder for such files. */
  readonly dir?: string;
  readonly signal?: AbortSignal;
  readonly batchBytes?: number;
}

/**
 * Imports a chain's files into a client that nobody else knows, as a restore would, and asks it for its head and the
 * state behind it. The steps' times add up to the measured recovery time. Nothing is left of it. Rejects only with what
 * is no answer about the history: `NoSuchSet`, `ClientMissing`, `ChainDamaged`, the signal's reason, or a bug.
 */
export async function chainDrill(node: string, options: ChainDrillOptions): Promise<DrillResult> {
  const places = { ...options.places, binary: await findClient(options.places.binary, options.environment) };
  const startedAt = instant(options.clock);
  const began = options.elapsed();
  const newest = await readHead(options.vault, HISTORY, node);
  if (newest === undefined) throw new NoSuchSet(`of the chain ${node}`, []);
  const steps: DrillStep[] = [];
  const attempt = stepper(steps, options);
  const records = await attempt('prove the history', async () => proved(await soundHistory(node, options)), began);
  if (records !== undefined) await rehearse(records, { ...options, places }, attempt);
  const { network, seq } = newest.value;
  return {
    format: 'ledgerhold/drill/1',
    ...{ network, node: newest.value.node, set: setId(node, seq), manifest: newest.sha256 },
    ...{ startedAt, endedAt: instant(options.clock), outcome: worst(steps), steps },
    rtoMilliseconds: steps.reduce((sum, { milliseconds }) => sum + milliseconds, 0),
  };
}

async function rehearse(records: readonly ChainRecord[], options: ChainDrillOptions, attempt: Attempt): Promise<void> {
  const folder = await mkdtemp(join(options.dir ?? tmpdir(), 'ledgerhold-drill-'));
  try {
    const datadir = join(folder, 'datadir');
    await restoreChain(
      { ...options, places: { ...options.places, datadir }, work: join(folder, 'work'), records },
      attempt,
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function proved(history: SoundHistory) {
  refuseDoubt(history);
  const { records } = history;
  const text = `${records.length} files, blocks 0 to ${records.at(-1)?.end.number}: signatures, links and agreement`;
  return { value: records, text };
}

const instant = ({ now }: Clock): Instant => Instant.parse(now().toISOString());
