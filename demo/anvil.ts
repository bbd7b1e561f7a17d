import { createRequire } from 'node:module';
import { setTimeout as sleep } from 'node:timers/promises';
import { LedgerholdError } from '../core/errors.ts';
import { guardedHttp } from '../io/http.ts';
import { jsonRpc } from '../io/json-rpc.ts';
import { type KeptProgram, startKept } from '../io/kept-program.ts';

/** A node of the demo's chain does not start, or does not do what it is asked. */
export class DemoNodeFailed extends LedgerholdError {
  override readonly name = 'DemoNodeFailed';
  readonly kind = 'external';
  constructor(what: string, options?: ErrorOptions) {
    super(what, 'Run it again; without the package @foundry-rs/anvil the demo leaves the chain out.', options);
  }
}

/** The package whose program is a whole Ethereum node; one more package brings the program for each platform. */
export const ANVIL_PACKAGE = '@foundry-rs/anvil';

/** The program, as npm has brought it for this machine; undefined where it has not. `from`: who would import it. */
export function findAnvil(from: string): string | undefined {
  const arch = process.arch === 'x64' ? 'amd64' : process.arch;
  try {
    const owner = createRequire(from).resolve(`${ANVIL_PACKAGE}/package.json`);
    return createRequire(owner).resolve(`${ANVIL_PACKAGE}-${process.platform}-${arch}/bin/anvil`);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'MODULE_NOT_FOUND') return undefined;
    throw error;
  }
}

export interface AnvilOptions {
  readonly binary: string;
  readonly name: string;
  readonly port: number;
  /** A file. */
  readonly genesis: string;
  readonly chainId: number;
  readonly signal?: AbortSignal;
}

/** A node that mines when it is told to, with its JSON-RPC on loopback. */
export interface Anvil {
  /** Rejects with `DemoNodeFailed` if it is not answered with a result. */
  ask(method: string, ...params: readonly unknown[]): Promise<unknown>;
  stop(): Promise<void>;
}

/**
 * Its state is made by transactions alone, so that any other client comes to the same: no account is rich from the
 * beginning, no contract is there, gas costs nothing.
 */
const ONLY_TRANSACTIONS = [
  ...['--accounts', '1', '--balance', '0', '--base-fee', '0', '--gas-price', '0'],
  ...['--disable-default-create2-deployer', '--hardfork', 'cancun'],
];
/** What is final is two blocks old; states stay in memory, where anvil else writes gigabytes into the home folder. */
const ON_DEMAND = ['--no-mining', '--slots-in-an-epoch', '1', '--prune-history=64', '--silent'];

/** Resolves when it answers. Rejects with `DemoNodeFailed`, or with the signal's reason. */
export async function startAnvil(options: AnvilOptions): Promise<Anvil> {
  const { binary, name, port, genesis, chainId, signal } = options;
  const place = ['--host', '127.0.0.1', '--port', String(port), '--chain-id', String(chainId), '--init', genesis];
  const program = startKept([binary, ...place, ...ONLY_TRANSACTIONS, ...ON_DEMAND], {});
  const url = `http://127.0.0.1:${port}`;
  const rpc = jsonRpc({ name, url, http: guardedHttp({ origins: [url] }) });
  const ask: Anvil['ask'] = async (method, ...params) => {
    const batch = await rpc([{ method, params }], signal);
    const outcome = batch.kind === 'answers' ? batch.outcomes[0] : undefined;
    if (outcome !== undefined && 'result' in outcome) return outcome.result;
    throw new DemoNodeFailed(`${name} does not do ${method}: ${outcome?.error.message ?? 'no answer'}`);
  };
  try {
    await untilItAnswers(name, program, () => ask('eth_blockNumber'), signal);
  } catch (error) {
    await program.stop();
    throw error;
  }
  return { ask, stop: () => program.stop() };
}

/** It takes a tenth of a second on an idle machine. */
const READY_WITHIN_MS = 20_000;
const PAUSE_MS = 25;

async function untilItAnswers(
  name: string,
  program: KeptProgram,
  ask: () => Promise<unknown>,
  signal: AbortSignal | undefined,
): Promise<void> {
  let over: string | undefined;
  void program.ended.then(({ status, said }) => (over = `it ended with ${status}: ${said}`));
  let cause: unknown;
  for (let waited = 0; waited < READY_WITHIN_MS && over === undefined; waited += PAUSE_MS) {
    try {
      await ask();
      return;
    } catch (error) {
      signal?.throwIfAborted();
      if (!(error instanceof LedgerholdError)) throw error;
      cause = error;
    }
    await sleep(PAUSE_MS);
  }
  throw new DemoNodeFailed(`${name} does not start: ${over ?? 'no answer'}`, { cause });
}
