import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { zstdCompressSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { NetworkName } from '../../core/names.ts';
import { folderVault } from '../../local/folder-vault.ts';
import { newestDrill } from '../../vault/drills.ts';
import { claimVaultFormat } from '../../vault/format.ts';
import { trustFrom } from '../../vault/trust.ts';
import { runCli } from '../support/cli.ts';
import { processes, soon } from '../support/processes.ts';
import { toyClient } from '../support/toy-client.ts';
import { type HistoryWorld, historyWorld } from '../support/toy-history.ts';
import { branch, grown } from '../support/toy-network.ts';

const folder = await mkdtemp(join(tmpdir(), 'ledgerhold-restore-chain-'));
afterAll(() => rm(folder, { recursive: true }));

let world: HistoryWorld;
let client: Awaited<ReturnType<typeof toyClient>>;
let head: string;

/** The world's objects as a folder, as they are now. */
async function vaultNamed(name: string): Promise<string> {
  for (const [key, bytes] of world.vault.objects) {
    const file = join(folder, name, key);
    await mkdir(join(file, '..'), { recursive: true });
    await writeFile(file, bytes);
  }
  await claimVaultFormat(folderVault(join(folder, name)), NetworkName.parse('acme'));
  return join(folder, name);
}

const flags = (vault: string) => ['--vault', vault, '--public-key', 'public-key.pem'];
const cli = (args: readonly string[], env: Readonly<Record<string, string>> = {}) =>
  runCli([...args, '--json'], { cwd: folder, env: { ...process.env, ...client.environment, TOY_HEAD: head, ...env } });

const plan = (vault: string, out: string, ...more: string[]) =>
  cli(['restore', 'plan', ...flags(vault), '--out', out, '--client', 'geth', ...more]);
const apply = (file: string, to: string, env: Readonly<Record<string, string>> = {}) =>
  cli(
    [
      'restore',
      'apply',
      file,
      '--to',
      to,
      '--public-key',
      'public-key.pem',
      '--genesis',
      'genesis.json',
      '--binary',
      client.binary,
    ],
    env,
  );

beforeAll(async () => {
  world = await historyWorld(10, { blocksPerFile: 4, compression: 'zstd' });
  await world.run('one');
  client = await toyClient(folder);
  const { hashes } = world.node.chain;
  head = JSON.stringify({ number: '0x9', hash: hashes[9], stateRoot: `0x${'00'.repeat(32)}` });
  await writeFile(join(folder, 'public-key.pem'), world.keys.publicKey);
  await writeFile(join(folder, 'genesis.json'), '{"config":{"chainId":1}}');
  await vaultNamed('vault');
});

describe('restore plan of a chain', () => {
  test('lists the files from genesis on, the commands, and what is in none of them', async () => {
    const { exit, json, stdout } = await plan('vault', 'plan.json', '--datadir', '/new', '--genesis', 'genesis.json');
    expect([exit, stdout.split('\n').length]).toEqual([0, 2]);
    expect(json()).toMatchObject({
      code: 'PLANNED',
      set: 'consortium/1',
      head: { number: 9, hash: world.node.chain.hashes[9] },
    });
    const written = JSON.parse(await readFile(join(folder, 'plan.json'), 'utf8'));
    expect(written.files.map(({ start, end }: { start: number; end: number }) => [start, end])).toEqual([
      [0, 3],
      [4, 7],
      [8, 9],
    ]);
    expect(written.steps[0].run).toBe(`geth --datadir /new init ${join(folder, 'genesis.json')}`);
    expect(written.notInFiles.join()).toContain('nodekey');
  });

  test('writes the genesis that GoQuorum needs for legacy IBFT beside the plan, and names it', async () => {
    await writeFile(join(folder, 'ibft.json'), '{"config":{"chainId":1,"istanbul":{"epoch":50,"policy":0}}}');
    const args = [
      'restore',
      'plan',
      ...flags('vault'),
      '--out',
      'ibft-plan.json',
      '--client',
      'quorum',
      '--genesis',
      'ibft.json',
    ];
    expect((await cli(args)).exit).toBe(0);
    const written = join(folder, 'ibft-plan-genesis.json');
    expect(JSON.parse(await readFile(written, 'utf8')).config).toEqual({
      ...{ chainId: 1, ibft: { epochlength: 50, blockperiodseconds: 1, policy: 0 } },
    });
    expect(JSON.parse(await readFile(join(folder, 'ibft-plan.json'), 'utf8'))).toMatchObject({ genesis: written });
  });

  test.each([
    ['--to', '2026-11-01T00:00:00Z'],
    ['--only', 'participant'],
  ])('refuses %s: a chain is whole', async (...part) => {
    const { exit, json } = await plan('vault', 'part.json', ...part);
    expect([exit, json()]).toMatchObject([2, { error: { name: 'UsageError' } }]);
  });

  test('without a public key is refused as unknown, unless that is accepted', async () => {
    const args = ['restore', 'plan', '--vault', 'vault', '--client', 'geth'];
    expect((await cli(args)).exit).toBe(3);
    const accepted = await cli([...args, '--accept', 'unproven', '--out', 'accepted.json']);
    expect([accepted.exit, accepted.json()['plan']]).toMatchObject([0, { accepted: [{ hazard: 'unproven' }] }]);
  });
});

describe('restore apply of a chain', () => {
  const blocks = () => Buffer.concat(world.node.chain.blocks as Uint8Array[]);

  test('imports every block in order into a new folder, joined and decompressed, and checks the head', async () => {
    await plan('vault', 'good.json');
    const { exit, json } = await apply('good.json', 'restored');
    expect([exit, json()]).toMatchObject([0, { code: 'RESTORED', head: { number: 9, client: 'Toy/v1' } }]);
    expect((await readFile(join(folder, 'restored', 'chain.rlp'))).equals(blocks())).toBe(true);
    expect((await readdir(join(folder, 'restored'))).toSorted()).toEqual(['chain.rlp', 'genesis.json']);
    expect((await client.verbs()).slice(-3)).toEqual(['init', 'import', 'serve']);
  });

  test('with --dry-run checks the plan, the client and the folder, and makes nothing', async () => {
    const args = [
      '--public-key',
      'public-key.pem',
      '--genesis',
      'genesis.json',
      '--binary',
      client.binary,
      '--dry-run',
    ];
    const before = (await client.verbs()).length;
    const { exit, json } = await cli(['restore', 'apply', 'good.json', '--to', 'dry', ...args]);
    expect([exit, json()]).toMatchObject([0, { code: 'PREVIEWED' }]);
    expect(existsSync(join(folder, 'dry'))).toBe(false);
    expect(await client.verbs()).toHaveLength(before);
    expect((await cli(['restore', 'apply', 'good.json', '--to', 'genesis.json', ...args])).exit).toBe(5);
  });

  test('has nothing to undo', async () => {
    const { exit, json } = await cli(['restore', 'apply', 'good.json', '--to', 'restored', '--undo']);
    expect([exit, json()]).toMatchObject([2, { error: { name: 'UsageError' } }]);
    expect(existsSync(join(folder, 'restored', 'chain.rlp'))).toBe(true);
  });

  test('refuses a folder in which something lies, and leaves it alone', async () => {
    await mkdir(join(folder, 'taken'));
    await writeFile(join(folder, 'taken', 'nodekey'), 'key');
    const before = (await client.verbs()).length;
    const { exit, json } = await apply('good.json', 'taken');
    expect([exit, json()]).toMatchObject([5, { error: { name: 'DatadirNotEmpty' } }]);
    expect(await readdir(join(folder, 'taken'))).toEqual(['nodekey']);
    expect(await client.verbs()).toHaveLength(before);
  });

  test('leaves the folder empty when the client refuses blocks, and says what it said', async () => {
    const refused = Buffer.from(world.node.chain.blocks[5] ?? []).toString('hex');
    const { exit, json } = await apply('good.json', 'refused', { TOY_REFUSES: refused });
    expect([exit, json()]).toMatchObject([1, { error: { name: 'ImportRefused' } }]);
    expect(JSON.stringify(json())).toContain('invalid block 3: unknown ancestor');
    expect(await readdir(join(folder, 'refused'))).toEqual([]);
  });

  test.each([
    ['another hash', { TOY_HEAD: JSON.stringify({ number: '0x9', hash: `0x${'ab'.repeat(32)}`, stateRoot: '0x' }) }],
    ['another number', { TOY_HEAD: JSON.stringify({ number: '0x8', hash: '0x', stateRoot: '0x' }) }],
    ['no state', { TOY_STATELESS: '1' }],
  ])('fails where the client ends with %s', async (_what, env) => {
    const { exit, json } = await apply('good.json', 'differs', env);
    expect([exit, json()]).toMatchObject([1, { error: { name: 'RestoredChainDiffers' } }]);
    expect(await readdir(join(folder, 'differs'))).toEqual([]);
  });

  test('fails before the client sees a file whose bytes are not those that were sealed', async () => {
    await cp(join(folder, 'vault'), join(folder, 'damaged'), { recursive: true });
    await plan('damaged', 'damaged.json');
    const file = join(folder, 'damaged/chain/consortium/one-block-4-7.rlp.zst');
    const bytes = await readFile(file);
    bytes.writeUInt8((bytes.at(-9) ?? 0) ^ 1, bytes.length - 9);
    await writeFile(file, bytes);
    const { exit, json } = await apply('damaged.json', 'from-damaged');
    expect([exit, json()]).toMatchObject([1, { error: { name: 'ArtifactDamaged' } }]);
    expect((await client.verbs()).at(-1)).toBe('init');
    expect(existsSync(join(folder, 'from-damaged', 'chain.rlp'))).toBe(false);
  });

  test('fails where the same blocks lie there in other bytes than were sealed', async () => {
    await cp(join(folder, 'vault'), join(folder, 'packed-anew'), { recursive: true });
    await plan('packed-anew', 'packed-anew.json');
    const file = join(folder, 'packed-anew/chain/consortium/one-block-4-7.rlp.zst');
    const { size } = await stat(file);
    const packed = zstdCompressSync(Buffer.concat(world.node.chain.blocks.slice(4, 8) as Uint8Array[]));
    // As long as the other: an empty frame of its own fills the rest. Structure alone does not tell them apart.
    const filler = Buffer.alloc(size - packed.length);
    filler.writeUInt32LE(0x184d2a50, 0);
    filler.writeUInt32LE(filler.length - 8, 4);
    await writeFile(file, Buffer.concat([packed, filler]));
    const { exit, json } = await apply('packed-anew.json', 'from-packed-anew');
    expect([exit, json()]).toMatchObject([1, { error: { name: 'ArtifactDamaged' } }]);
    expect(JSON.stringify(json())).toContain('its SHA-256 is another');
  });

  test('goes by the plan when blocks have come since, and refuses it when the chain has left its blocks', async () => {
    await plan('vault', 'before.json');
    world.node.chain = await grown(world.node.chain, 10, branch(2, 1));
    await world.run('two');
    await vaultNamed('vault');
    expect((await apply('before.json', 'longer')).json()).toMatchObject({ code: 'RESTORED', head: { number: 9 } });
    world.node.chain = await grown(world.node.chain, 6, branch(8, 2));
    await world.run('three');
    await vaultNamed('vault');
    const { exit, json } = await apply('before.json', 'left');
    expect([exit, json()]).toMatchObject([5, { error: { name: 'PlanOutdated' } }]);
  });

  test('ends the client when it is interrupted, and leaves the folder empty', async () => {
    await plan('vault', 'interrupted.json');
    const before = (await client.verbs()).length;
    const args = ['restore', 'apply', 'interrupted.json', '--to', 'interrupted', '--public-key', 'public-key.pem'];
    const { exit } = await runCli([...args, '--genesis', 'genesis.json', '--binary', client.binary, '--json'], {
      cwd: folder,
      env: { ...process.env, ...client.environment, TOY_HANGS: '1' },
      onStart: (send) =>
        void soon(
          async () => ((await client.verbs()).length >= before + 2 ? true : undefined),
          20_000,
          'an import',
        ).then(() => send('SIGINT')),
    });
    expect(exit).toBe(130);
    expect(await readdir(join(folder, 'interrupted'))).toEqual([]);
    const left = (await processes()).filter(({ line }) => line.includes(`--datadir ${join(folder, 'interrupted')}`));
    expect(left).toEqual([]);
  });

  test('says that the client is missing before anything is made', async () => {
    const args = ['restore', 'apply', 'good.json', '--to', 'none', '--public-key', 'public-key.pem'];
    const { exit, json } = await cli([...args, '--genesis', 'genesis.json', '--binary', './no-such-client']);
    expect([exit, json()]).toMatchObject([2, { error: { name: 'ClientMissing' } }]);
    expect(existsSync(join(folder, 'none'))).toBe(false);
  });
});

describe('drill of a chain', () => {
  beforeAll(async () => {
    await writeFile(join(folder, 'signing-key.pem'), world.keys.privateKey, { mode: 0o600 });
    await writeFile(
      join(folder, 'ledgerhold.yaml'),
      `network: acme
vault: { folder: ./vault }
encryption: none
signing: { keyFile: ./signing-key.pem }
nodes:
  - name: consortium
    protocol: ethereum
    client: geth
    monitor: { rpc: http://127.0.0.1:1 }
    validators: [{ name: bank-a, rpc: http://127.0.0.1:1 }]
    restore: { genesis: ./genesis.json, binary: ./toy-geth }
`,
    );
    await mkdir(join(folder, 'drills'));
  });

  /** Of the world as it is by now. */
  const headNow = () => {
    const number = world.node.chain.blocks.length - 1;
    return JSON.stringify({
      ...{
        number: `0x${number.toString(16)}`,
        hash: world.node.chain.hashes[number],
        stateRoot: `0x${'00'.repeat(32)}`,
      },
    });
  };
  const drill = (env: Readonly<Record<string, string>> = {}) =>
    cli(['drill', '--dir', 'drills'], { TOY_HEAD: headNow(), ...env });

  test('passes by what the config says, is recorded and signed, and leaves nothing', async () => {
    const { exit, json } = await drill();
    expect([exit, json()]).toMatchObject([
      0,
      { code: 'DRILL_PASSED', set: 'consortium/3', record: 'drills/consortium/00000001.json' },
    ]);
    const trust = await trustFrom(folderVault(join(folder, 'vault')), [world.keys.publicKey]);
    const record = await newestDrill(folderVault(join(folder, 'vault')), 'consortium', trust);
    expect(record?.steps.map(({ name }) => name)).toEqual([
      ...['prove the history', 'make an empty chain', 'import blocks 0 to 13', 'check the head'],
    ]);
    expect(record?.rtoMilliseconds).toBeGreaterThan(0);
    expect(await readdir(join(folder, 'drills'))).toEqual([]);
  });

  test('fails where the chain does not come back, and that is recorded too', async () => {
    const { exit, json } = await drill({ TOY_STATELESS: '1' });
    expect([exit, json()]).toMatchObject([1, { code: 'DRILL_FAILED', outcome: 'failed' }]);
    expect(json()['record']).toBe('drills/consortium/00000002.json');
    expect(await readdir(join(folder, 'drills'))).toEqual([]);
  });

  test('fails where a record was changed after it was sealed', async () => {
    const record = join(folder, 'vault/chain/consortium/records/one-block-0-3.rlp.zst.json');
    const text = await readFile(record, 'utf8');
    await writeFile(record, text.replace('"transactions":8', '"transactions":9'));
    const { exit, json } = await drill();
    await writeFile(record, text);
    expect([exit, json()]).toMatchObject([1, { code: 'DRILL_FAILED' }]);
    expect(JSON.stringify(json()['steps'])).toContain('is not the record that was sealed');
  });

  test('is unknown where the client does not start', async () => {
    const { exit, json } = await drill({ TOY_HEAD: 'no JSON' });
    expect([exit, json()]).toMatchObject([3, { code: 'DRILL_UNKNOWN', outcome: 'unknown' }]);
  });
});
