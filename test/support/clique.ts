import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePorts } from '../../io/kept-program.ts';
import { type GethNode, geth, startGeth } from './geth.ts';

/** Three signers of one chain, a block a second, on this machine. */
export interface CliqueNetwork {
  readonly nodes: readonly GethNode[];
  readonly genesis: string;
  /** Starts a signer again that was stopped, and makes it known to the others. */
  restart(n: number): Promise<void>;
  stop(): Promise<void>;
}

/** On every command: a datadir that was made with one scheme is not opened with the other. */
const SCHEME = '--state.scheme=hash';
const CHAIN_ID = 13_374;

/** Keys are made for it, and are worth nothing. `folder` is the caller's to remove. */
export async function startClique(binary: string, folder: string): Promise<CliqueNetwork> {
  const password = join(folder, 'password');
  await writeFile(password, 'of this test');
  const signers: { readonly datadir: string; readonly address: string }[] = [];
  for (const name of ['one', 'two', 'three']) signers.push(await newSigner(binary, join(folder, name), password));
  const genesis = join(folder, 'genesis.json');
  await writeFile(genesis, JSON.stringify(cliqueGenesis(signers.map(({ address }) => address))));
  const nodes: GethNode[] = [];
  const stop = async () => void (await Promise.all(nodes.map((node) => node.stop())));
  try {
    for (const { datadir, address } of signers) {
      await geth(binary, [SCHEME, '--datadir', datadir, 'init', genesis]);
      nodes.push(await startSigner(binary, datadir, address, password));
    }
    await introduce(nodes);
    const restart = async (n: number) => {
      const signer = signers[n];
      if (signer === undefined) throw new RangeError(`there is no signer ${n}`);
      nodes[n] = await startSigner(binary, signer.datadir, signer.address, password);
      await introduce(nodes);
    };
    return { nodes, genesis, restart, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function newSigner(binary: string, datadir: string, password: string) {
  await mkdir(datadir, { recursive: true });
  const key = join(datadir, 'signer.key');
  await writeFile(key, randomBytes(32).toString('hex'), { mode: 0o600 });
  const out = await geth(binary, [
    ...['--datadir', datadir, '--lightkdf', 'account', 'import', '--password', password, key],
  ]);
  const address = /\{([0-9a-f]{40})\}/.exec(out)?.[1];
  if (address === undefined) throw new Error(`no address in ${out}`);
  return { datadir, address };
}

async function startSigner(binary: string, datadir: string, address: string, password: string): Promise<GethNode> {
  const [port] = await freePorts(1);
  return startGeth(binary, datadir, [
    ...[SCHEME, '--networkid', String(CHAIN_ID), '--port', String(port), '--nat', 'extip:127.0.0.1', '--nodiscover'],
    ...['--syncmode', 'full', '--cache', '64', '--mine', '--miner.etherbase', `0x${address}`],
    ...['--unlock', `0x${address}`, '--password', password, '--allow-insecure-unlock'],
  ]);
}

/** `static-nodes.json` is ignored by this version. */
async function introduce(nodes: readonly GethNode[]): Promise<void> {
  for (const node of nodes) {
    const { enode } = (await node.ask('admin_nodeInfo')) as { enode: string };
    for (const other of nodes) if (other !== node) await other.ask('admin_addPeer', enode);
  }
}

const forks = ['homestead', 'eip150', 'eip155', 'eip158', 'byzantium', 'constantinople', 'petersburg', 'istanbul'];

/** Signers stand in the extra data in ascending order, between 32 bytes of vanity and 65 for a seal. */
const cliqueGenesis = (signers: readonly string[]) => ({
  config: {
    ...{ chainId: CHAIN_ID, clique: { period: 1, epoch: 30_000 }, berlinBlock: 0, londonBlock: 0 },
    ...Object.fromEntries(forks.map((name) => [`${name}Block`, 0])),
  },
  ...{ difficulty: '0x1', gasLimit: '0x1c9c380', baseFeePerGas: '0x7' },
  extraData: `0x${'00'.repeat(32)}${signers.toSorted().join('')}${'00'.repeat(65)}`,
  alloc: Object.fromEntries(signers.map((address) => [address, { balance: '0x3635c9adc5dea00000' }])),
});
