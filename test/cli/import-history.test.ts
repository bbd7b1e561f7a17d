import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { type EthereumNode, ethereumNode } from '../fakes/ethereum-node.ts';
import { toyChain } from '../support/chain-writer.ts';
import { runCli } from '../support/cli.ts';
import { branch } from '../support/toy-network.ts';
import { newKeys } from '../support/toy-sets.ts';

jest.setTimeout(60_000);

interface Told {
  history: { file: string; canonical_chain: boolean; start_block: { block: number }; end_block: { hash: string } }[];
}

let node: EthereumNode;
let cwd: string;
let told: Told;
let blocks: readonly Uint8Array[];

const cli = (...args: string[]) => runCli([...args, '--json'], { cwd });
const importing = () => cli('import-history', 'history.json', '--files', 'files');
const fileOf = (n: number) => join(cwd, 'files', told.history[n]?.file ?? '');
const tell = () => writeFile(join(cwd, 'history.json'), JSON.stringify(told));

/** A history of three files, as another service left it: 20 of 24 blocks that the node has. */
beforeEach(async () => {
  const chain = await toyChain(branch(24, 1));
  ({ blocks } = chain);
  node = await ethereumNode({ blocks });
  cwd = await mkdtemp(join(tmpdir(), 'ledgerhold-import-'));
  await mkdir(join(cwd, 'files'));
  const keys = newKeys();
  await writeFile(join(cwd, 'signing-key.pem'), keys.privateKey, { mode: 0o600 });
  const of = (block: number) => ({
    ...{ block, hash: chain.hashes[block] },
    parent_hash: chain.hashes[block - 1] ?? `0x${'0'.repeat(64)}`,
  });
  const entry = ([start, end]: readonly [number, number]) => ({
    ...{ file: `2025-01-0${start + 1}T00:00:00Z-block-${start}-${end}.rlp`, date: '2025-01-01', raftSwapFile: false },
    ...{ canonical_chain: true, start_block: of(start), end_block: of(end) },
  });
  told = {
    history: (
      [
        [0, 7],
        [8, 15],
        [16, 19],
      ] as const
    ).map(entry),
  } as unknown as Told;
  for (const { start_block: start, file } of told.history) {
    const bytes = blocks.slice(start.block, start.block === 16 ? 20 : start.block + 8);
    await writeFile(join(cwd, 'files', file), Buffer.concat(bytes));
  }
  await tell();
  await writeFile(
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
`,
  );
});
afterEach(async () => {
  await node[Symbol.asyncDispose]();
  await rm(cwd, { recursive: true, force: true });
});

describe('a history of another service', () => {
  test('is taken over with its files, proven, and gone on with', async () => {
    const imported = await importing();
    expect(imported.json()).toMatchObject({ code: 'IMPORTED', head: { number: 19 }, leftOut: [] });
    const first = told.history[0]?.file ?? '';
    expect(await readFile(join(cwd, 'vault/chain/consortium', first))).toEqual(await readFile(fileOf(0)));
    expect((await cli('backup')).json()).toMatchObject({ code: 'SEALED', head: { number: 23 }, historyFiles: 4 });
    expect((await cli('verify', '--all', '--deep')).json()).toMatchObject({ code: 'PROVEN_DEEP' });
    expect((await importing()).json()).toMatchObject({ error: { name: 'HistoryExists' } });
  });

  test('that was broken off goes on where it ended', async () => {
    const bytes = await readFile(fileOf(2));
    await rm(fileOf(2));
    expect((await importing()).json()).toMatchObject({ error: { name: 'FileUnreadable' } });
    expect((await cli('history')).json()).toMatchObject({ code: 'NO_HISTORY' });
    await writeFile(fileOf(2), bytes);
    await rm(fileOf(0));
    // Its record was lost with the process; the file itself lies there.
    await rm(join(cwd, `vault/chain/consortium/records/${told.history[1]?.file}.json`));
    expect((await importing()).json()).toMatchObject({ code: 'IMPORTED', files: { length: 3 } });
    expect((await cli('verify', '--all', '--deep')).json()).toMatchObject({ code: 'PROVEN_DEEP' });
  });

  test('leaves out what it says is not of the chain', async () => {
    told.history.push({ ...(told.history[2] as Told['history'][number]), file: 'old.rlp', canonical_chain: false });
    await tell();
    expect((await importing()).json()).toMatchObject({ code: 'IMPORTED', leftOut: ['old.rlp'] });
  });

  const faults: readonly (readonly [string, string, () => unknown])[] = [
    ['a gap', 'HistoryDamaged', () => told.history.splice(1, 1)],
    ['no beginning', 'HistoryDamaged', () => told.history.shift()],
    [
      'a bit that was flipped',
      'BlockDamaged',
      async () => {
        const bytes = await readFile(fileOf(1));
        const at = bytes.length - 3;
        bytes[at] = (bytes[at] ?? 0) ^ 1;
        await writeFile(fileOf(1), bytes);
      },
    ],
    [
      'a file that is cut inside a block',
      'ChainFileDamaged',
      async () => {
        const bytes = await readFile(fileOf(1));
        await writeFile(fileOf(1), bytes.subarray(0, bytes.length - 9));
      },
    ],
    [
      'a block that was dropped',
      'ChainBroken',
      () => writeFile(fileOf(1), Buffer.concat([...blocks.slice(8, 11), ...blocks.slice(12, 16)])),
    ],
    [
      'another end than the network’s',
      'AnotherChain',
      () => {
        const last = told.history[2];
        if (last !== undefined) last.end_block.hash = `0x${'a'.repeat(64)}`;
      },
    ],
    [
      'a name that leads elsewhere',
      'UsageError',
      () => {
        const first = told.history[0];
        if (first !== undefined) first.file = '../ledgerhold.yaml';
      },
    ],
  ];
  test.each(faults)('with %s is refused as %s, and no history appears', async (_, name, act) => {
    await act();
    await tell();
    const refused = await importing();
    expect(refused.json()).toMatchObject({ error: { name } });
    const history = (await cli('history', '--node', 'consortium')).json();
    // Nothing lies there at all, or a file of a history that nobody sealed.
    expect(['NO_HISTORY', 'USAGE_ERROR']).toContain(history['code']);
  });
});
