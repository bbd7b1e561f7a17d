import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type EthereumNode, ethereumNode } from '../fakes/ethereum-node.ts';
import { toyChain } from './chain-writer.ts';
import { type CliResult, runCli } from './cli.ts';
import { branch } from './toy-network.ts';
import { newKeys } from './toy-sets.ts';

/** A folder with a configuration of one chain whose node answers on loopback, and the command line in it. */
export interface ChainCli extends AsyncDisposable {
  readonly cwd: string;
  readonly node: EthereumNode;
  /** Runs a verb with `--json`. */
  cli(...args: string[]): Promise<CliResult>;
  /** Writes the configuration anew, with more of it. */
  configure(more: string): Promise<void>;
}

export async function chainCli(blocks: number, now?: () => Date): Promise<ChainCli> {
  const node = await ethereumNode({ blocks: (await toyChain(branch(blocks, 1))).blocks });
  const cwd = await mkdtemp(join(tmpdir(), 'ledgerhold-chain-'));
  const keys = newKeys();
  await writeFile(join(cwd, 'signing-key.pem'), keys.privateKey, { mode: 0o600 });
  await writeFile(join(cwd, 'public-key.pem'), keys.publicKey);
  const configure = (more: string) =>
    writeFile(
      join(cwd, 'ledgerhold.yaml'),
      `network: acme
vault: { folder: ./vault }
encryption: none
signing: { keyFile: ./signing-key.pem }
nodes:
  - name: consortium
    protocol: ethereum
    client: geth
    monitor: { rpc: "${node.url}" }
    validators: [ { name: bank-a, rpc: "${node.url}" } ]
    blocksPerFile: 8
    enabled: true
${more}`,
    );
  await configure('');
  return {
    ...{ cwd, node, configure },
    cli: (...args) => runCli([...args, '--json'], { cwd, ...(now && { now }) }),
    [Symbol.asyncDispose]: async () => {
      await node[Symbol.asyncDispose]();
      await rm(cwd, { recursive: true, force: true });
    },
  };
}
