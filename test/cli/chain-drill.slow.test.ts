import { cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { chainDrill } from '../../cli/chain-drill.ts';
import type { Vault } from '../../core/vault.ts';
import { startProgram } from '../../io/postgres/program.ts';
import { folderVault } from '../../local/folder-vault.ts';
import { canonicalRecords, readHistory } from '../../vault/history.ts';
import { backUpChain } from '../support/chain-backup.ts';
import { runCli } from '../support/cli.ts';
import { startClique } from '../support/clique.ts';
import {
  describeWithGeth,
  type GethNode,
  genesisOf,
  geth,
  scratch,
  startDev,
  startGeth,
  transact,
  untilBlock,
} from '../support/geth.ts';
import { newKeys } from '../support/toy-sets.ts';

jest.setTimeout(180_000);

const keys = newKeys();

interface RealChain {
  readonly vault: Vault;
  readonly genesis: string;
  readonly head: { readonly number: number; readonly hash: string; readonly stateRoot: string };
}

const drillOf = ({ vault, genesis }: RealChain, binary: string, args: readonly string[], dir: string) =>
  chainDrill('consortium', {
    ...{ vault, publicKeys: [keys.publicKey], client: 'geth', places: { binary, genesis, args } },
    ...{ environment: {}, clock: { now: () => new Date() }, elapsed: () => performance.now(), dir, batchBytes: 20_000 },
  });

async function headOf(node: GethNode, number: number): Promise<RealChain['head']> {
  const block = (await node.ask('eth_getBlockByNumber', `0x${number.toString(16)}`, false)) as RealChain['head'];
  return { number, hash: block.hash, stateRoot: block.stateRoot };
}

const filesOf = async (vault: Vault) =>
  canonicalRecords(await readHistory(vault, 'consortium')).map(({ file }) =>
    join(fileURLToPath(vault.url), 'chain', 'consortium', file.name),
  );

describeWithGeth('1.17.8', 'a real chain of geth', (binary) => {
  let chain: RealChain;
  /** The same, with files that the client cannot read as they lie. */
  let packed: Vault;
  let folder: Awaited<ReturnType<typeof scratch>>;
  const datadir = () => join(folder.path, 'datadir');

  beforeAll(async () => {
    folder = await scratch();
    const vault = folderVault(join(folder.path, 'vault'));
    const node = await startDev(binary, datadir());
    await transact(node, 70);
    const settings = { vault, keys, node: 'consortium', slot: 'one', compression: 'none', blocksPerFile: 25 } as const;
    const { sealChain } = await backUpChain([node], settings);
    const head = await headOf(node, sealChain?.head ?? -1);
    packed = folderVault(join(folder.path, 'packed'));
    await backUpChain([node], { ...settings, vault: packed, compression: 'zstd' });
    await node.stop();
    const genesis = join(folder.path, 'genesis.json');
    await writeFile(genesis, await genesisOf(binary, datadir()));
    chain = { vault, genesis, head };
  });
  afterAll(async () => folder[Symbol.asyncDispose]());

  test('is exported byte for byte as the client exports it', async () => {
    const file = join(folder.path, 'theirs.rlp');
    await geth(binary, ['--datadir', datadir(), 'export', file, '0', String(chain.head.number)]);
    const ours = await Promise.all((await filesOf(chain.vault)).map((each) => readFile(each)));
    expect(ours).toHaveLength(3);
    expect(Buffer.concat(ours).equals(await readFile(file))).toBe(true);
  });

  test('passes its drill: another geth comes to the same head and state root, and nothing is left of it', async () => {
    const dir = join(folder.path, 'drills');
    await mkdir(dir);
    const result = await drillOf(chain, binary, [], dir);
    expect(result).toMatchObject({ outcome: 'passed', set: 'consortium/1', network: 'acme' });
    const { number, hash, stateRoot } = chain.head;
    expect(number).toBe(64);
    expect(result.steps.at(-1)).toMatchObject({ name: 'check the head', outcome: 'passed' });
    expect(result.steps.at(-1)?.text).toContain(`block ${number}, ${hash}, state root ${stateRoot}, by Geth/v1.17.8`);
    expect(result.rtoMilliseconds).toBe(result.steps.reduce((sum, { milliseconds }) => sum + milliseconds, 0));
    expect(await readdir(dir)).toEqual([]);
  });

  test('comes back by hand: the plan’s commands, one after the other, end with the same chain', async () => {
    const cwd = folder.path;
    await writeFile(join(cwd, 'public-key.pem'), keys.publicKey);
    const flags = ['--vault', fileURLToPath(packed.url), '--public-key', 'public-key.pem', '--genesis', 'genesis.json'];
    const args = [
      'restore',
      'plan',
      ...flags,
      '--binary',
      binary,
      '--datadir',
      join(cwd, 'by hand'),
      '--out',
      'plan.json',
    ];
    expect(await runCli([...args, '--json'], { cwd })).toMatchObject({ exit: 0 });
    const { steps } = JSON.parse(await readFile(join(cwd, 'plan.json'), 'utf8'));
    expect(steps.map(({ run }: { run: string }) => run.split(' ')[0])).toContain('zstd');
    const script = steps.map(({ run }: { run: string }) => run).join('\n');
    const { status, said } = await startProgram({ words: ['sh', '-ec', script], environment: process.env }).ended;
    expect([status, said.slice(-500)]).toEqual([0, expect.anything()]);
    const node = await startGeth(binary, join(cwd, 'by hand'), ['--nodiscover', '--maxpeers', '0']);
    expect(await headOf(node, chain.head.number)).toEqual(chain.head);
    await node.stop();
  });

  test('comes back by restore apply, into a data directory that the client opens again', async () => {
    const cwd = folder.path;
    const flags = ['--to', 'applied', '--public-key', 'public-key.pem', '--genesis', 'genesis.json'];
    const { exit, json } = await runCli(['restore', 'apply', 'plan.json', ...flags, '--json'], { cwd });
    expect([exit, json()]).toMatchObject([0, { code: 'RESTORED', head: chain.head }]);
    const node = await startGeth(binary, join(cwd, 'applied'), ['--nodiscover', '--maxpeers', '0']);
    expect(await headOf(node, chain.head.number)).toEqual(chain.head);
    await node.stop();
  });

  test('fails its drill by one changed byte, before the client has seen the file', async () => {
    const copy = join(folder.path, 'changed');
    await cp(fileURLToPath(chain.vault.url), copy, { recursive: true });
    const vault = folderVault(copy);
    const file = (await filesOf(vault))[1] ?? '';
    const bytes = await readFile(file);
    // In the last block's body, far from any length.
    bytes.writeUInt8((bytes.at(-40) ?? 0) ^ 1, bytes.length - 40);
    await writeFile(file, bytes);
    const result = await drillOf({ ...chain, vault }, binary, [], folder.path);
    expect(result.outcome).toBe('failed');
    expect(result.steps.at(-1)).toMatchObject({ outcome: 'failed' });
    expect(result.steps.at(-1)?.name).toMatch(/^import blocks/);
  });

  test('fails its drill with another network’s genesis', async () => {
    const genesis = JSON.parse(await readFile(chain.genesis, 'utf8'));
    const foreign = join(folder.path, 'foreign.json');
    await writeFile(foreign, JSON.stringify({ ...genesis, gasLimit: '0xaf79e1' }));
    const result = await drillOf({ ...chain, genesis: foreign }, binary, [], folder.path);
    expect(result.steps.at(-1)).toMatchObject({ outcome: 'failed' });
    expect(result.steps.at(-1)?.text).toMatch(/^ImportRefused: .*unknown ancestor/);
  });
});

describeWithGeth('1.13.15', 'a real Clique network of three signers', (binary) => {
  test('is agreed on by all of them, exported, and restored to the same head and state root', async () => {
    await using folder = await scratch();
    const vault = folderVault(join(folder.path, 'vault'));
    const network = await startClique(binary, folder.path);
    const [node] = network.nodes;
    if (node === undefined) throw new Error('no signer');
    try {
      await untilBlock(node, 3);
      await transact(node, 3);
      const settings = { vault, keys, node: 'consortium', slot: 'one', compression: 'zstd', blocksPerFile: 4 } as const;
      const { sealChain } = await backUpChain(network.nodes, settings);
      const head = await headOf(node, sealChain?.head ?? -1);
      const result = await drillOf(
        { vault, genesis: network.genesis, head },
        binary,
        ['--state.scheme=hash'],
        folder.path,
      );
      expect(result.steps.filter(({ outcome }) => outcome !== 'passed')).toEqual([]);
      expect(result.steps.at(-1)?.text).toContain(`block ${head.number}, ${head.hash}, state root ${head.stateRoot}`);
    } finally {
      await network.stop();
    }
  });
});
