import { createReadStream } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { cutBlocks } from '../../protocols/ethereum/cut-blocks.ts';
import { type EthereumNode, ethereumNode } from '../fakes/ethereum-node.ts';
import { describeWithRecordings, recorded } from '../support/chain-fixtures.ts';
import { runCli } from '../support/cli.ts';
import { newKeys } from '../support/toy-sets.ts';

/** Bytes of blocks as each node of a real QBFT network served them: committed seals differ, hashes do not. */
const SERVED = ['chain-node0.rlp', 'chain-node1.rlp', 'live-getBlockRlp-node0.rlp', 'chain-node1.rlp'];
const HEIGHT = 136;

async function blocksIn(name: string): Promise<Uint8Array[]> {
  const blocks: Uint8Array[] = [];
  for await (const block of cutBlocks(createReadStream(recorded(`private-chains/qbft/${name}`)))) blocks.push(block);
  return blocks.slice(0, HEIGHT + 1);
}

describeWithRecordings('a recorded QBFT network of four, that grows while it is backed up', () => {
  let served: Uint8Array[][];
  let nodes: EthereumNode[];
  let cwd: string;
  let slot = 0;

  beforeAll(async () => {
    served = await Promise.all(SERVED.map(blocksIn));
    nodes = await Promise.all(
      served.map((blocks) => ethereumNode({ blocks, dialect: 'quorum', head: 10, silenceMs: 200 })),
    );
    cwd = await mkdtemp(join(tmpdir(), 'ledgerhold-network-'));
    const keys = newKeys();
    await writeFile(join(cwd, 'signing-key.pem'), keys.privateKey, { mode: 0o600 });
    await configure('all');
  }, 60_000);
  afterAll(async () => {
    for (const node of nodes) await node[Symbol.asyncDispose]();
    await rm(cwd, { recursive: true, force: true });
  });

  const configure = (agreement: string) =>
    writeFile(
      join(cwd, 'ledgerhold.yaml'),
      `network: acme
vault: { folder: ./vault }
encryption: none
signing: { keyFile: ./signing-key.pem }
nodes:
  - name: consortium
    protocol: ethereum
    client: quorum
    monitor: { rpc: "${nodes[0]?.url}" }
    validators: [ ${nodes.map(({ url }, n) => `{ name: bank-${n}, rpc: "${url}" }`).join(', ')} ]
    agreement: ${agreement}
    blocksPerFile: 20
`,
    );
  const setHead = (head: number, of = nodes) => of.forEach((node) => node.setHead(Math.min(head, HEIGHT)));
  const cli = async (...args: string[]) => {
    const { exit, json } = await runCli([...args, '--json'], { cwd });
    return {
      exit,
      ...(json() as { code?: string; head?: { number: number }; error?: { name: string; message: string } }),
    };
  };
  const backup = () => cli('backup', '--slot', `run-${++slot}`);

  test('is exported run after run, without a gap, at the height of the moment', async () => {
    let head = 10;
    const growing = setInterval(() => setHead((head += 1)), 25);
    try {
      const heights: number[] = [];
      for (let n = 0; n < 5; n++) {
        const { code, head: end } = await backup();
        expect(code).toBe('SEALED');
        heights.push(end?.number ?? -1);
      }
      expect(heights).toEqual(heights.toSorted((a, b) => a - b));
      expect(new Set(heights).size).toBeGreaterThan(2);
    } finally {
      clearInterval(growing);
    }
    setHead(90);
    expect(await backup()).toMatchObject({ head: { number: 90 } });
    expect(await cli('verify', '--all', '--deep')).toMatchObject({ exit: 0, code: 'PROVEN_DEEP' });
  }, 120_000);

  test('walks back to what a validator that came back behind has, and goes on when it has caught up', async () => {
    setHead(100);
    nodes[2]?.setHead(95);
    expect(await backup()).toMatchObject({ code: 'SEALED', head: { number: 95 } });
    nodes[2]?.setHead(87);
    setHead(
      105,
      [nodes[0], nodes[1], nodes[3]].filter((node) => node !== undefined),
    );
    const stalled = await backup();
    expect(stalled).toMatchObject({ exit: 4, error: { name: 'ConsensusStalled' } });
    expect(stalled.error?.message).toContain('bank-2 has no block 95');
    setHead(105);
    expect(await backup()).toMatchObject({ code: 'SEALED', head: { number: 105 } });
  }, 60_000);

  test('walks back below the blocks that one validator has of another fork', async () => {
    setHead(115);
    for (let number = 110; number <= 115; number++) {
      const hash = `0x${number.toString(16).padStart(64, 'f')}`;
      nodes[3]?.spoil(number, { bytes: served[0]?.[number] ?? new Uint8Array(), hash });
    }
    expect(await backup()).toMatchObject({ code: 'SEALED', head: { number: 109 } });
    const stalled = await backup();
    // It has nothing new to say: the end is where it was, and all agree on that.
    expect(stalled).toMatchObject({ code: 'SEALED', head: { number: 109 } });
  }, 60_000);

  test('names a validator that is stopped, and does without it where the config says so', async () => {
    await nodes[3]?.[Symbol.asyncDispose]();
    const stalled = await backup();
    expect(stalled).toMatchObject({ exit: 4, error: { name: 'ConsensusStalled' } });
    expect(stalled.error?.message).toContain('bank-3');
    await configure('3');
    setHead(130, nodes.slice(0, 3));
    expect(await backup()).toMatchObject({ code: 'SEALED', head: { number: 130 } });
  }, 60_000);

  test('has a history that is proven whole, with the evidence of every end', async () => {
    expect(await cli('verify', '--all', '--deep')).toMatchObject({ exit: 0, code: 'PROVEN_DEEP' });
    const { json } = await runCli(['history', '--json'], { cwd });
    const files = json()['files'] as { start: { number: number }; end: { number: number } }[];
    const gaps = files.filter(({ start }, n) => start.number !== (files[n - 1]?.end.number ?? -1) + 1);
    expect(gaps).toEqual([]);
    expect(files.at(-1)?.end.number).toBe(130);
  }, 60_000);
});
