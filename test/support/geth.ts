import { accessSync, constants } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe } from '@jest/globals';
import { guardedHttp } from '../../io/http.ts';
import { jsonRpc } from '../../io/json-rpc.ts';
import { freePorts, type KeptProgram, startKept } from '../../io/kept-program.ts';
import { startProgram } from '../../io/postgres/program.ts';

export type GethVersion = '1.17.8' | '1.13.15';

/** Where `scripts/install-geth.sh` puts it; undefined if it is not on this machine. */
export function findGeth(version: GethVersion): string | undefined {
  const path = join(
    process.env['LEDGERHOLD_CACHE'] ?? join(homedir(), '.cache', 'ledgerhold'),
    'bin',
    `geth-${version}`,
  );
  try {
    accessSync(path, constants.X_OK);
    return path;
  } catch {
    return undefined;
  }
}

/** `describe` with the program, skipped by name where it is not built. */
export function describeWithGeth(version: GethVersion, name: string, tests: (binary: string) => void): void {
  const binary = findGeth(version);
  if (binary === undefined) describe.skip(`${name} (geth ${version} is not built)`, () => tests(''));
  else describe(name, () => tests(binary));
}

/** A running node with its JSON-RPC on loopback. */
export interface GethNode {
  readonly url: string;
  readonly datadir: string;
  /** One call; rejects if it is not answered with a result. */
  ask(method: string, ...params: readonly unknown[]): Promise<unknown>;
  /** Ends it in order; its datadir stays. */
  stop(): Promise<void>;
}

/** What the program writes to standard output. Rejects with what it complains of. */
export async function geth(binary: string, args: readonly string[]): Promise<string> {
  const program = startProgram({ words: [binary, ...args], environment: {} });
  const out = Buffer.concat(await Array.fromAsync(program.stdout as AsyncIterable<Buffer>)).toString();
  const { status, said } = await program.ended;
  if (status !== 0) throw new Error(`geth ${args.join(' ')} ended with ${status}: ${said}`);
  return out;
}

/** Starts a node that seals a block for each transaction, on a datadir that may hold such a chain already. */
export function startDev(binary: string, datadir: string): Promise<GethNode> {
  return startGeth(binary, datadir, ['--dev', '--cache', '128', '--nodiscover', '--maxpeers', '0']);
}

/** With everything that a test asks a node for, on ports of its own. */
export async function startGeth(binary: string, datadir: string, args: readonly string[]): Promise<GethNode> {
  const [port = 0, engine = 0] = await freePorts(2);
  const words = [
    ...[binary, '--datadir', datadir, ...args, '--ipcdisable', '--http', '--http.addr', '127.0.0.1'],
    ...['--http.port', String(port), '--http.api', 'eth,debug,admin,web3,clique', '--authrpc.port', String(engine)],
  ];
  const program = startKept(words, {});
  const url = `http://127.0.0.1:${port}`;
  const rpc = jsonRpc({ name: 'geth', url, http: guardedHttp({ origins: [url] }) });
  const ask = async (method: string, ...params: readonly unknown[]) => {
    const batch = await rpc([{ method, params }]);
    const outcome = batch.kind === 'answers' ? batch.outcomes[0] : undefined;
    if (outcome !== undefined && 'result' in outcome) return outcome.result;
    throw new Error(`${method}: ${outcome?.error.message ?? 'no answer'}`);
  };
  await answers(program, () => ask('eth_blockNumber'));
  return { url, datadir, ask, stop: () => program.stop() };
}

/** Waits at most 60 s for the first answer. */
async function answers(program: KeptProgram, ask: () => Promise<unknown>): Promise<void> {
  let over: string | undefined;
  void program.ended.then(({ status, said }) => (over = `${status}: ${said}`));
  for (let tries = 0; tries < 300 && over === undefined; tries += 1) {
    const answered = await ask().then(
      () => true,
      () => false,
    );
    if (answered) return;
    await sleep(200);
  }
  await program.stop();
  throw new Error(`geth did not answer; it ended with ${over}`);
}

/** Waits at most 60 s until the node has block `number`. */
export async function untilBlock(node: GethNode, number: number): Promise<void> {
  for (let tries = 0; tries < 300; tries += 1) {
    if (Number(await node.ask('eth_blockNumber')) >= number) return;
    await sleep(200);
  }
  throw new Error(`no block ${number} within 60 s`);
}

/** The genesis of the chain in a datadir that no node has open, as `init` takes it. */
export const genesisOf = (binary: string, datadir: string): Promise<string> =>
  geth(binary, ['--datadir', datadir, 'dumpgenesis']);

/** A folder that is gone with its scope. */
export async function scratch(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'ledgerhold-geth-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

/** `count` transfers, one after the other, and one contract. */
export async function transact(node: GethNode, count: number): Promise<void> {
  const [from] = (await node.ask('eth_accounts')) as string[];
  const send = async (transaction: object) => {
    const hash = await node.ask('eth_sendTransaction', { from, ...transaction });
    for (let tries = 0; tries < 300; tries += 1) {
      if ((await node.ask('eth_getTransactionReceipt', hash).catch(() => null)) !== null) return;
      await sleep(10);
    }
    throw new Error(`transaction ${String(hash)} is in no block`);
  };
  // Puts 1 into its storage and returns a word of code.
  await send({ data: '0x6001600055600160005260206000f3', gas: '0x30000' });
  // Behind the addresses that are programs of the client’s own.
  for (let n = 0; n < count; n += 1)
    await send({ to: `0x${(0x1000 + n).toString(16).padStart(40, '0')}`, value: '0x1' });
}
