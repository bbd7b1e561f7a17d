import { writeFile } from 'node:fs/promises';
import { freePorts } from '../io/kept-program.ts';
import { type Anvil, DemoNodeFailed, startAnvil } from './anvil.ts';

export interface DemoChainOptions {
  /** Of anvil. */
  readonly binary: string;
  /** Where the genesis is written to. */
  readonly genesis: string;
  readonly signal?: AbortSignal;
}

/**
 * Real nodes that each hold the same chain. There is no consensus between them: each is told to make the same blocks of
 * the same transactions, and comes to the same hashes by its own execution.
 */
export interface DemoChain {
  readonly monitor: ChainAddress;
  readonly validators: readonly ChainAddress[];
  /** Every node that runs makes blocks until `height`. Rejects with `DemoNodeFailed` if they come to different ones. */
  grow(height: number): Promise<void>;
  stopNode(name: string): Promise<void>;
  /** At its old address and with an empty memory; resolves when it has made all blocks again. */
  startNode(name: string): Promise<void>;
  /** Stops all of them. */
  stop(): Promise<void>;
}

export interface ChainAddress {
  readonly name: string;
  readonly url: string;
}

const [MONITOR, ...VALIDATORS] = ['monitor', 'bank-a', 'bank-b'] as const;

export async function startDemoChain({ genesis, ...options }: DemoChainOptions): Promise<DemoChain> {
  await writeFile(genesis, `${JSON.stringify(GENESIS, undefined, 2)}\n`);
  const names = [MONITOR, ...VALIDATORS];
  const ports = await freePorts(names.length);
  const portOf = (name: string) => ports[names.findIndex((each) => each === name)] ?? 0;
  const addressOf = (name: string) => ({ name, url: `http://127.0.0.1:${portOf(name)}` });
  const running = new Map<string, Anvil>();
  let height = 0;
  const grow: DemoChain['grow'] = async (to) => {
    height = to;
    const heads = await Promise.all([...running.values()].map((node) => mine(node, to)));
    if (new Set(heads).size > 1)
      throw new DemoNodeFailed(`the nodes call block ${to} differently: ${heads.join(', ')}`);
  };
  const startNode = async (name: string) => {
    const { chainId } = GENESIS.config;
    running.set(name, await startAnvil({ ...options, name, port: portOf(name), genesis, chainId }));
    await grow(height);
  };
  const stopNode = async (name: string) => {
    await running.get(name)?.stop();
    running.delete(name);
  };
  const stop = async () => void (await Promise.all(names.map(stopNode)));
  try {
    for (const name of names) await startNode(name);
    return { monitor: addressOf(MONITOR), validators: VALIDATORS.map(addressOf), grow, stopNode, startNode, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

const hex = (number: number): string => `0x${number.toString(16)}`;

const BLOCK_SECONDS = 5;

/** As geth's `init` takes it, of 2026-01-01; nobody owns anything. */
const GENESIS = {
  config: {
    chainId: 31_337_001,
    ...{ homesteadBlock: 0, eip150Block: 0, eip155Block: 0, eip158Block: 0, byzantiumBlock: 0, constantinopleBlock: 0 },
    ...{ petersburgBlock: 0, istanbulBlock: 0, berlinBlock: 0, londonBlock: 0, mergeNetsplitBlock: 0 },
    ...{ terminalTotalDifficulty: 0, terminalTotalDifficultyPassed: true, shanghaiTime: 0, cancunTime: 0 },
    blobSchedule: { cancun: { target: 3, max: 6, baseFeeUpdateFraction: 3_338_477 } },
  },
  ...{ nonce: '0x0', timestamp: hex(Date.UTC(2026, 0, 1) / 1000), extraData: '0x', gasLimit: hex(30_000_000) },
  ...{ difficulty: '0x0', mixHash: `0x${'0'.repeat(64)}`, coinbase: `0x${'0'.repeat(40)}`, baseFeePerGas: '0x0' },
  alloc: {},
};

/** Makes a contract that adds one to its first word of storage whenever it is called. */
const COUNTER = '0x6960005460010160005500600052600a6016f3';

/** Resolves to the hash of block `height`. */
async function mine({ ask }: Anvil, height: number): Promise<string> {
  const [from] = (await ask('eth_accounts')) as [string];
  // An account that is there anyway: clients differ in whether one that only gets nothing is left in the state.
  await ask('anvil_setCoinbase', from);
  let contract: string | undefined;
  for (let number = Number(await ask('eth_blockNumber')) + 1; number <= height; number += 1) {
    // The first block makes the contract, each later one calls it twice.
    const [first, last] = number === 1 ? [0, 0] : [2 * number - 3, 2 * number - 2];
    if (number > 1) contract ??= await contractOf({ ask });
    const what = contract === undefined ? { data: COUNTER } : { to: contract };
    for (let nonce = first; nonce <= last; nonce += 1) {
      await ask('eth_sendTransaction', { from, ...what, nonce: hex(nonce), gas: hex(200_000), gasPrice: '0x0' });
    }
    await ask('evm_mine', hex(Number(GENESIS.timestamp) + number * BLOCK_SECONDS));
  }
  const { hash } = (await ask('eth_getBlockByNumber', hex(height), false)) as { hash: string };
  return hash;
}

async function contractOf({ ask }: Pick<Anvil, 'ask'>): Promise<string> {
  const { transactions } = (await ask('eth_getBlockByNumber', '0x1', false)) as { transactions: [string] };
  const { contractAddress } = (await ask('eth_getTransactionReceipt', transactions[0])) as { contractAddress: string };
  return contractAddress;
}
