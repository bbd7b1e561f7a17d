import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { type EthereumNode, ethereumNode } from '../fakes/ethereum-node.ts';
import { toyChain } from '../support/chain-writer.ts';
import { runCli } from '../support/cli.ts';
import { branch } from '../support/toy-network.ts';
import { newKeys } from '../support/toy-sets.ts';

jest.setTimeout(60_000);

let nodes: EthereumNode[];
let cwd: string;
let hashes: readonly string[];

/** A monitor and two validators that serve one chain of 30 blocks over HTTP, of which 20 are there. */
beforeEach(async () => {
  const chain = await toyChain(branch(30, 1));
  ({ hashes } = chain);
  nodes = [];
  for (const dialect of ['quorum', 'geth', 'json-only'] as const) {
    nodes.push(await ethereumNode({ blocks: chain.blocks, dialect, head: 19, silenceMs: 200 }));
  }
  cwd = await mkdtemp(join(tmpdir(), 'ledgerhold-chain-'));
  const [monitor, one, other] = nodes.map(({ url }) => url);
  const keys = newKeys();
  await writeFile(join(cwd, 'signing-key.pem'), keys.privateKey, { mode: 0o600 });
  await writeFile(join(cwd, 'public-key.pem'), keys.publicKey);
  await writeFile(
    join(cwd, 'ledgerhold.yaml'),
    `network: acme
vault: { folder: ./vault }
encryption: none
signing: { keyFile: ./signing-key.pem }
nodes:
  - name: consortium
    protocol: ethereum
    client: quorum
    enabled: true
    monitor: { rpc: "${monitor}" }
    validators: [ { name: bank-a, rpc: "${one}" }, { name: bank-b, rpc: "${other}" } ]
    blocksPerFile: 8
    compression: zstd
`,
  );
});
afterEach(async () => {
  for (const node of nodes) await node[Symbol.asyncDispose]();
  await rm(cwd, { recursive: true, force: true });
});

const cli = (...args: string[]) => runCli([...args, '--json'], { cwd });

describe('the chain of a consortium', () => {
  test('is exported, listed, proven by a stranger, and goes on where it ended', async () => {
    const first = await cli('backup', '--slot', '2026-11-24T06:00:00Z');
    expect(first.json()).toMatchObject({ code: 'SEALED', node: 'consortium', seq: 1, head: { number: 19 } });
    expect(first.stderr).toContain('agreed on block 19');
    for (const node of nodes) node.setHead(25);
    expect((await cli('backup', '--slot', '2026-11-24T12:00:00Z')).json()).toMatchObject({
      seq: 2,
      head: { number: 25 },
    });
    const files = (await cli('history')).json()['files'] as { name: string }[];
    expect(files.map(({ name }) => name)).toEqual([
      ...['0-7', '8-15', '16-19'].map((range) => `2026-11-24T06:00:00Z-block-${range}.rlp.zst`),
      '2026-11-24T12:00:00Z-block-20-25.rlp.zst',
    ]);
    const door = ['--vault', join(cwd, 'vault'), '--public-key', join(cwd, 'public-key.pem')];
    for (const depth of [[], ['--all'], ['--deep', '--all'], ['--quick']]) {
      const verified = await cli('verify', ...depth, ...door);
      expect(verified.json()).toMatchObject({
        status: 'proven',
        chains: [{ files: 4, head: { number: 25, hash: hashes[25] } }],
      });
      expect(verified.exit).toBe(0);
    }
  });

  test('is handed out in the JSON of the service that consortia come from', async () => {
    await cli('backup', '--slot', '2026-11-24T06:00:00Z');
    const told = await runCli(['history', '--format', 'kaleido'], { cwd });
    expect(JSON.parse(told.stdout)).toMatchObject({
      latest_backup: expect.stringMatching(/^20/),
      provider: 'quorum',
      history: [
        {
          ...{ file: '2026-11-24T06:00:00Z-block-0-7.rlp.zst', canonical_chain: true, raftSwapFile: false },
          start_block: { block: 0, hash: hashes[0], parent_hash: `0x${'0'.repeat(64)}` },
          end_block: { block: 7, hash: hashes[7], parent_hash: hashes[6] },
        },
        { start_block: { block: 8, parent_hash: hashes[7] } },
        { end_block: { block: 19 } },
      ],
    });
  });

  test('a validator that is down stalls the run, is named, and nothing appears', async () => {
    const [, , other] = nodes;
    await other?.[Symbol.asyncDispose]();
    nodes.pop();
    const failed = await cli('backup');
    expect(failed.exit).toBe(4);
    expect(failed.json()).toMatchObject({
      error: { name: 'ConsensusStalled', message: expect.stringContaining('bank-b') },
    });
    expect((await cli('history')).json()).toMatchObject({ error: { name: 'UsageError' } });
  });

  test('a first run that was broken off proves nothing', async () => {
    nodes[0]?.spoil(12, 'odd');
    expect((await cli('backup', '--slot', 'one')).exit).not.toBe(0);
    const verified = await cli('verify', '--deep', '--all');
    expect(verified.exit).toBe(3);
    expect(verified.json()).toMatchObject({ status: 'unknown', chains: [], findings: [{ code: 'NOTHING_TO_PROVE' }] });
  });

  test('a history is refused under a name that the vault does not hold', async () => {
    await cli('backup', '--slot', 'one');
    const told = await cli('history', '--node', 'consortiun', '--format', 'kaleido');
    expect(told.exit).toBe(2);
    expect(told.json()).toMatchObject({ error: { message: expect.stringContaining('no chain consortiun') } });
  });

  test('an address that is mistyped is not shown: it may hold a key', async () => {
    const config = join(cwd, 'ledgerhold.yaml');
    const text = (await readFile(config, 'utf8')).replace(/monitor: .*/, 'monitor: { rpc: "htps://x/v3/sentinel" }');
    await writeFile(config, text);
    const { exit, stdout, stderr } = await cli('doctor');
    expect(exit).toBe(2);
    expect(stdout + stderr).toContain('nodes[0].monitor.rpc');
    expect(stdout + stderr).not.toContain('sentinel');
  });

  test('a flipped bit in a file is found by verify, by its name', async () => {
    await cli('backup', '--slot', 'one');
    const file = join(cwd, 'vault/chain/consortium/one-block-8-15.rlp.zst');
    const bytes = await readFile(file);
    bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
    await rm(file);
    await writeFile(file, bytes);
    const verified = await cli('verify', '--deep', '--all');
    expect(verified.exit).toBe(1);
    expect(JSON.stringify(verified.json())).toContain('chain/consortium/one-block-8-15.rlp.zst');
  });

  test('is served at its times, once for each, and its standing told', async () => {
    const before = await cli('status');
    expect(before.json()).toMatchObject({
      code: 'NO_SETS',
      chains: [{ node: 'consortium', last: null, overdue: true }],
    });
    const served = await cli('serve', '--once');
    expect(served.json()).toMatchObject({ code: 'SERVED' });
    expect(served.stderr).toContain('agreed on block 19');
    const again = await cli('serve', '--once');
    expect(again.json()).toMatchObject({ code: 'SERVED' });
    expect(again.stderr).not.toContain('agreed on');
    expect((await cli('status')).json()).toMatchObject({
      code: 'ON_TIME',
      chains: [{ files: 3, orphaned: 0, overdue: false, inProgress: null, last: { seq: 1, head: { number: 19 } } }],
    });
  });

  test('that is not switched on is told by doctor as not looked at', async () => {
    const file = join(cwd, 'ledgerhold.yaml');
    await writeFile(file, (await readFile(file, 'utf8')).replace('enabled: true', 'enabled: false'));
    expect((await cli('doctor')).stdout).toContain('consortium is not enabled, and was not looked at');
  });

  test('whose validators are one node under two names is refused', async () => {
    const file = join(cwd, 'ledgerhold.yaml');
    await writeFile(file, (await readFile(file, 'utf8')).replaceAll(nodes[2]?.url ?? '', nodes[1]?.url ?? ''));
    const refused = await cli('plan');
    expect([refused.exit, refused.stdout]).toEqual([2, expect.stringContaining('one node would speak for both')]);
  });

  test('is planned without a call, and examined by doctor node by node', async () => {
    const planned = await cli('plan');
    expect(planned.json()).toMatchObject({
      code: 'PLANNED',
      chains: [
        { node: 'consortium', next: 0, everySeconds: 21_600, validators: ['bank-a', 'bank-b'], agreement: 'all' },
      ],
    });
    expect(nodes.flatMap(({ requests }) => requests)).toEqual([]);
    const healthy = await cli('doctor');
    expect(healthy.stdout).toContain('gives blocks out whole, from genesis on');
    const [foreign] = (await toyChain(branch(1, 9))).blocks;
    nodes[2]?.spoil(0, { bytes: foreign ?? new Uint8Array(), hash: `0x${'9'.repeat(64)}` });
    const sick = await cli('doctor');
    expect(sick.exit).not.toBe(0);
    expect(sick.stdout).toContain('bank-b is of another chain');
  });
});
