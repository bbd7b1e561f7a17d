import { access, constants, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { BlockRef } from '../core/chain.ts';
import { LedgerholdError } from '../core/errors.ts';
import { guardedHttp } from '../io/http.ts';
import { type JsonRpc, jsonRpc } from '../io/json-rpc.ts';
import { freePorts, startKept } from '../io/kept-program.ts';
import type { ProgramEnd } from '../io/postgres/program.ts';
import { CLIENT_COMMANDS, type ClientPlaces } from '../protocols/ethereum/client-commands.ts';
import type { Client } from '../protocols/ethereum/clients.ts';
import { ClientFailed, ClientMissing, ImportRefused, RestoredChainDiffers } from './chain-restore-errors.ts';

/** A client that is to hold a chain: which one, where, and what its programs inherit. */
export interface ChainClient {
  readonly client: Client;
  readonly places: ClientPlaces;
  /** A folder that is ours. */
  readonly work: string;
  readonly environment: NodeJS.ProcessEnv;
  readonly signal?: AbortSignal;
}

/** What the restored node says of its newest block, and who says it. */
export interface RestoredHead extends BlockRef {
  readonly stateRoot: string;
  readonly client: string;
}

/** The program as a path, or the first of that name on PATH. Rejects with `ClientMissing`. */
export async function findClient(program: string, environment: NodeJS.ProcessEnv): Promise<string> {
  const folders = program.includes('/') ? [''] : (environment['PATH'] ?? '').split(delimiter);
  for (const folder of folders) {
    const path = folder === '' ? program : join(folder, program);
    const executable = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (executable) return path;
  }
  throw new ClientMissing(program);
}

/** Rejects with `ClientFailed`. Does nothing for a client that makes its database by itself. */
export async function initChain(chain: ChainClient): Promise<void> {
  const { init, title } = CLIENT_COMMANDS[chain.client];
  if (init === undefined) return;
  const end = await run(init(chain.places), chain);
  if (end.status !== 0) throw new ClientFailed(`${title} does not take the genesis`, complaint(end));
}

/** Rejects with `ImportRefused`, or with `ClientFailed` where the machine is to blame. */
export async function importFile(chain: ChainClient, file: string, blocks: string): Promise<void> {
  const end = await run(CLIENT_COMMANDS[chain.client].importFile(chain.places, file), chain);
  if (end.status === 0) return;
  const said = complaint(end);
  const machine =
    /no space left|cannot allocate|out of memory/i.test(said) || end.signal !== null || end.status === 127;
  throw machine ? new ClientFailed(`${blocks} were not imported`, said) : new ImportRefused(blocks, said);
}

/**
 * Starts the client so that no other node finds it, asks for its newest block and whether the state behind it is there,
 * and ends it. Rejects with `RestoredChainDiffers` or `ClientFailed`.
 */
export async function checkHead(chain: ChainClient, wanted: BlockRef & { stateRoot: string }): Promise<RestoredHead> {
  const [port = 0, engine = 0] = await freePorts(2);
  const { serve, isolation } = CLIENT_COMMANDS[chain.client];
  const config = join(chain.work, 'isolated.toml');
  if (isolation !== undefined) await writeFile(config, isolation);
  const program = startKept(serve(chain.places, { rpc: port, engine, config }), environmentOf(chain));
  try {
    const origin = `http://127.0.0.1:${port}`;
    const rpc = jsonRpc({ name: 'the restored node', url: origin, http: guardedHttp({ origins: [origin] }) });
    const head = await headOf(rpc, program.ended, chain.signal);
    for (const key of ['number', 'hash', 'stateRoot'] as const) {
      if (head[key] === wanted[key]) continue;
      throw new RestoredChainDiffers(`its head has the ${NAMES[key]} ${head[key]}, and not ${wanted[key]}`);
    }
    await haveState(rpc, head.number, chain.signal);
    return head;
  } finally {
    await program.stop();
  }
}

const NAMES = { number: 'number', hash: 'hash', stateRoot: 'state root' } as const;

/** From the start to the first answer; a client on Java takes half a minute. */
const READY_WITHIN_MS = 180_000;
const PAUSE_MS = 200;

async function headOf(
  rpc: JsonRpc,
  ended: Promise<ProgramEnd>,
  signal: AbortSignal | undefined,
): Promise<RestoredHead> {
  let over: ProgramEnd | undefined;
  void ended.then((end) => (over = end));
  let last = 'no answer';
  for (let waited = 0; waited < READY_WITHIN_MS; waited += PAUSE_MS) {
    signal?.throwIfAborted();
    if (over !== undefined) throw new ClientFailed('the client ended instead of answering', complaint(over));
    try {
      return await askHead(rpc, signal);
    } catch (error) {
      signal?.throwIfAborted();
      if (!(error instanceof LedgerholdError) || error.kind !== 'external') throw error;
      last = error.message;
    }
    await sleep(PAUSE_MS);
  }
  throw new ClientFailed(`the client did not answer within ${READY_WITHIN_MS / 1000} s`, last);
}

async function askHead(rpc: JsonRpc, signal: AbortSignal | undefined): Promise<RestoredHead> {
  const client = await one(rpc, 'web3_clientVersion', [], signal);
  const block = await one(rpc, 'eth_getBlockByNumber', ['latest', false], signal);
  if (typeof block !== 'object' || block === null) throw new ClientFailed('it has no block at all', '');
  const { number, hash, stateRoot } = block as Record<string, unknown>;
  return { number: Number(number), hash: String(hash), stateRoot: String(stateRoot), client: String(client) };
}

/** A header may be there without the state that it names: any account's balance tells. */
async function haveState(rpc: JsonRpc, number: number, signal: AbortSignal | undefined): Promise<void> {
  const nobody = `0x${'0'.repeat(40)}`;
  try {
    await one(rpc, 'eth_getBalance', [nobody, `0x${number.toString(16)}`], signal);
  } catch (error) {
    if (!(error instanceof ClientFailed)) throw error;
    throw new RestoredChainDiffers(`it has block ${number}, and not the state behind it: ${error.message}`);
  }
}

async function one(rpc: JsonRpc, method: string, params: readonly unknown[], signal: AbortSignal | undefined) {
  const batch = await rpc([{ method, params }], signal);
  const outcome = batch.kind === 'answers' ? batch.outcomes[0] : undefined;
  if (outcome !== undefined && 'result' in outcome) return outcome.result;
  throw new ClientFailed(`${method} is not answered`, outcome?.error.message ?? '');
}

/** Ends it when we are to end. */
async function run(words: readonly string[], chain: ChainClient): Promise<ProgramEnd> {
  const { signal } = chain;
  signal?.throwIfAborted();
  const program = startKept(words, environmentOf(chain));
  const stop = () => void program.stop();
  signal?.addEventListener('abort', stop, { once: true });
  try {
    const end = await program.ended;
    signal?.throwIfAborted();
    return end;
  } finally {
    signal?.removeEventListener('abort', stop);
  }
}

const environmentOf = ({ client, environment }: ChainClient): NodeJS.ProcessEnv => ({
  ...CLIENT_COMMANDS[client].environment,
  ...environment,
});

/** The lines that complain, else the last ones: clients say much besides. */
function complaint({ said, status, signal }: ProgramEnd): string {
  const lines = said.split('\n').filter((line) => line.trim() !== '');
  const complaining = lines.filter((line) => /\b(?:error|fatal|invalid|failed|exception)\b/i.test(line));
  const told = (complaining.length > 0 ? complaining : lines).slice(-3).join(' / ');
  return told === '' ? `it ended with ${signal ?? `status ${status}`}` : told;
}
