import { createReadStream } from 'node:fs';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { Client } from 'pg';
import { ageIdentity } from '../../io/age.ts';
import { readDump } from '../../io/postgres/dump-reader.ts';
import { startThrowawayPostgres, type ThrowawayPostgres } from '../../io/postgres/server.ts';
import { type EthereumNode, ethereumNode } from '../fakes/ethereum-node.ts';
import { runCli } from '../support/cli.ts';
import { connectTo } from '../support/demo-network.ts';
import { describeWithPostgres } from '../support/postgres.ts';
import { privateChain, storePayload, TESSERA_SCHEMA } from '../support/private-payloads.ts';
import { newKeys } from '../support/toy-sets.ts';

const HIGHEST = 600;

describeWithPostgres('a chain with Tessera in its config', () => {
  let nodes: EthereumNode[];
  let server: ThrowawayPostgres;
  let client: Client;
  let cwd: string;
  let identity: string;
  let world: Awaited<ReturnType<typeof privateChain>>;
  let head = -1;

  /** The payload of the next block is stored, and then the nodes have the block. */
  const oneBlock = async () => {
    head += 1;
    await storePayload(client, world.payloads[head] ?? Buffer.alloc(0));
    for (const node of nodes) node.setHead(head);
  };
  const cli = (...args: string[]) =>
    runCli([...args, '--json'], { cwd, env: { ...process.env, TESSERA: server.url('postgres') } });

  beforeEach(async () => {
    server = await startThrowawayPostgres();
    client = await connectTo(server.url('postgres'));
    await client.query(TESSERA_SCHEMA);
    world = await privateChain(HIGHEST);
    nodes = [];
    for (const dialect of ['quorum', 'geth'] as const) {
      nodes.push(await ethereumNode({ blocks: world.chain.blocks, dialect, head: 0, silenceMs: 200 }));
    }
    head = -1;
    cwd = await mkdtemp(join(tmpdir(), 'ledgerhold-payloads-'));
    const keys = newKeys();
    const age = await ageIdentity();
    identity = age.identity;
    await writeFile(join(cwd, 'identity.txt'), `${identity}\n`, { mode: 0o600 });
    await writeFile(join(cwd, 'signing-key.pem'), keys.privateKey, { mode: 0o600 });
    await writeFile(join(cwd, 'public-key.pem'), keys.publicKey);
    const [monitor, validator] = nodes.map(({ url }) => url);
    await writeFile(
      join(cwd, 'ledgerhold.yaml'),
      `network: acme
vault: { folder: ./vault }
encryption: { recipients: [${age.recipient}] }
signing: { keyFile: ./signing-key.pem }
nodes:
  - name: consortium
    enabled: true
    protocol: ethereum
    client: quorum
    monitor: { rpc: "${monitor}" }
    validators: [ { name: bank-a, rpc: "${validator}" } ]
    components: { tessera: { postgres: { url: { env: TESSERA } } } }
`,
    );
  }, 60_000);
  afterEach(async () => {
    await client.end();
    await server.stop();
    for (const node of nodes) await node[Symbol.asyncDispose]();
    await rm(cwd, { recursive: true, force: true });
  });

  test('is exported, and its payloads captured after it into a set that is proved, and of no member', async () => {
    for (let n = 0; n < 20; n++) await oneBlock();
    const first = await cli('backup', '--slot', 'one');
    expect(first.json()).toMatchObject({
      ...{ code: 'SEALED', node: 'consortium', seq: 1, head: { number: 19 } },
      payloads: { set: 'consortium-tessera/1', verdict: 'proven' },
    });
    expect(first.exit).toBe(0);
    const verified = await cli('verify', '--all', '--deep', '--identity', 'identity.txt');
    expect(verified.json()).toMatchObject({
      status: 'proven',
      sets: [{ findings: [{ level: 'note', code: 'PAYLOADS_COVERED', text: expect.stringContaining('0 to 19') }] }],
    });
    const shared = await readdir(join(cwd, 'vault/chain'), { recursive: true });
    expect(shared.filter((name) => /tessera|dump/.test(name))).toEqual([]);
    expect((await cli('backup', '--slot', 'one')).json()).toMatchObject({
      ...{ code: 'ALREADY_SEALED', payloads: { outcome: 'already-sealed' } },
    });
  });

  test('says in its plans what is captured and what to restore first, and means the chain where nobody names the payloads', async () => {
    for (let n = 0; n < 3; n++) await oneBlock();
    const plan = (await cli('plan')).json();
    expect(plan).toMatchObject({
      nodes: [{ node: 'consortium-tessera', reasons: { tessera: expect.stringContaining('after the history of') } }],
      chains: [{ node: 'consortium' }],
    });
    await cli('backup');
    expect((await cli('status')).json()).toMatchObject({
      nodes: [{ node: 'consortium-tessera' }],
      chains: [{ node: 'consortium' }],
    });
    const restore = (await cli('restore', 'plan')).json();
    expect(restore).toMatchObject({ set: 'consortium/1' });
    expect(JSON.stringify(restore)).toContain('restore plan --node consortium-tessera');
    const payloads = await cli('restore', 'plan', '--node', 'consortium-tessera');
    expect(payloads.json()).toMatchObject({ code: 'PLANNED', set: 'consortium-tessera/1' });
    const drilled = await cli('drill', '--node', 'consortium-tessera', '--identity', 'identity.txt');
    expect({ exit: drilled.exit, said: drilled.json() }).toMatchObject({
      exit: 0,
      said: { set: 'consortium-tessera/1' },
    });
  });

  test('keeps the chain where the database fails, and the same slot takes the payloads later', async () => {
    for (let n = 0; n < 3; n++) await oneBlock();
    await client.query('ALTER TABLE encrypted_transaction RENAME TO away');
    await client.query('ALTER TABLE encrypted_raw_transaction RENAME TO away_too');
    const failed = await cli('backup', '--slot', 'one');
    expect(failed.json()).toMatchObject({ error: { name: 'WrongDatabase' } });
    expect((await cli('verify')).json()).toMatchObject({ status: 'proven', chains: [{ head: { number: 2 } }] });
    await client.query('ALTER TABLE away RENAME TO encrypted_transaction');
    await client.query('ALTER TABLE away_too RENAME TO encrypted_raw_transaction');
    expect((await cli('backup', '--slot', 'one')).json()).toMatchObject({
      ...{ code: 'SEALED', outcome: 'already-sealed', payloads: { set: 'consortium-tessera/1' } },
    });
  });

  test('is unproven where Tessera holds no payload at all', async () => {
    const unproven = await cli('backup');
    expect(unproven.exit).toBe(3);
    expect(unproven.json()).toMatchObject({ code: 'SEALED_UNPROVEN', payloads: { verdict: 'unknown' } });
  });

  test('has payloads only behind its blocks: alone they are refused', async () => {
    await oneBlock();
    const refused = await cli('backup', '--node', 'consortium-tessera');
    expect(refused.exit).toBe(5);
    expect(refused.json()).toMatchObject({ error: { name: 'ChainNotSealed' } });
  });

  test('is served: a slot is done when both are sealed', async () => {
    await oneBlock();
    const served = await cli('serve', '--once');
    expect(served.exit).toBe(0);
    expect((await cli('verify')).json()).toMatchObject({
      ...{ status: 'proven', chains: [{ node: 'consortium' }] },
      sets: [{ set: 'consortium-tessera/1' }],
    });
    await rm(join(cwd, 'vault/sets'), { recursive: true });
    await rm(join(cwd, 'vault/leases/consortium-tessera'), { recursive: true });
    expect((await cli('serve', '--once')).exit).toBe(0);
    expect((await cli('sets')).json()).toMatchObject({ sets: [{ set: 'consortium-tessera/1' }] });
  });

  test('five runs beside a writer: each set has the payload of every block that it says it covers', async () => {
    let writing = true;
    const writer = (async () => {
      while (writing && head + 1 < HIGHEST) {
        await oneBlock();
        await sleep(2);
      }
    })();
    try {
      while (head < 5) await sleep(5);
      for (let round = 1; round <= 5; round++) {
        expect((await cli('backup', '--slot', `run-${round}`)).exit).toBe(0);
        const to = join(cwd, `${round}.dump`);
        const only = ['restore', '--only', 'tessera', '--set', `consortium-tessera/${round}`, '--to', to];
        expect((await cli(...only, '--identity', 'identity.txt')).exit).toBe(0);
        expect(await missing(to, round)).toEqual([]);
      }
    } finally {
      writing = false;
      await writer;
    }
  }, 120_000);

  /** Blocks that the set says it covers, and whose payload is not in its dump. */
  async function missing(dump: string, seq: number): Promise<number[]> {
    const query = { table: 'encrypted_transaction', columns: ['hash'], max: 'timestamp' };
    const { facts } = await readDump('pg_dump-custom', createReadStream(dump), [query]);
    const [answer] = facts['encrypted_transaction'] ?? [];
    const held = new Set(answer?.status === 'rows' ? answer.rows.map(({ hash }) => hash) : []);
    const shown = (await cli('show', `consortium-tessera/${seq}`)).json();
    const covers = Number(/"tessera\.covers-to-block":"(\d+)"/.exec(JSON.stringify(shown))?.[1]);
    expect(covers).toBeGreaterThan(0);
    const named = world.payloads.slice(0, covers + 1).map((hash) => `\\x${hash.toString('hex')}`);
    return named.flatMap((hash, block) => (held.has(hash) ? [] : [block]));
  }
});
