import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Client } from 'pg';
import { takeDatabase } from '../../cli/database-capture.ts';
import { ComponentName, Fence, NetworkName, Slot } from '../../core/names.ts';
import type { Artifact } from '../../core/receipts.ts';
import { noEncryption } from '../../io/no-encryption.ts';
import { readDump } from '../../io/postgres/dump-reader.ts';
import { startThrowawayPostgres, type ThrowawayPostgres } from '../../io/postgres/server.ts';
import { tessera } from '../../protocols/tessera/tessera.ts';
import { openArtifact } from '../../vault/artifact.ts';
import { chainFileKey, runPrefix } from '../../vault/layout.ts';
import { MemoryVault } from '../fakes/memory-vault.ts';
import { collect } from '../support/bytes.ts';
import { connectTo } from '../support/demo-network.ts';
import { describeWithPostgres } from '../support/postgres.ts';
import {
  type PrivateLoad,
  payloadsIn,
  privateChain,
  startPrivateLoad,
  TESSERA_SCHEMA,
} from '../support/private-payloads.ts';
import { CHAIN_NODE, type HistoryWorld, historyIn } from '../support/toy-history.ts';
import { newKeys } from '../support/toy-sets.ts';

const ROUNDS = 20;
/** A question of the dump has at most 1000 rows in its answer; a round that gets so far fails, and says so. */
const MOST_BLOCKS = 900;
const rounds = Array.from({ length: ROUNDS }, (_, n) => `round-${n + 1}`);

describeWithPostgres(`a node of a chain with private transactions, ${ROUNDS} times`, () => {
  let server: ThrowawayPostgres;
  let client: Client;
  beforeAll(async () => {
    server = await startThrowawayPostgres();
    client = await connectTo(server.url('postgres'));
    await client.query(TESSERA_SCHEMA);
  });
  afterAll(async () => {
    await client.end();
    await server.stop();
  });

  const dump = async (vault: MemoryVault, slot: string): Promise<readonly Artifact[]> => {
    const order = {
      ...{ network: NetworkName.parse('acme'), node: CHAIN_NODE, protocol: 'tessera', slot: Slot.parse(slot) },
      ...{ fence: Fence.parse(1), component: ComponentName.parse('tessera'), role: 'tessera' },
      prefix: runPrefix(CHAIN_NODE, slot, 1),
    };
    const ports = { vault, encryption: noEncryption, clock: { now: () => new Date() }, env: process.env };
    const database = {
      ...{ source: { url: server.url('postgres') }, protocol: tessera, registered: undefined },
      bytesPerSecond: undefined,
    };
    const watch = { signal: AbortSignal.timeout(60_000), progress: () => {} };
    return (await takeDatabase(database, order, ports, watch)).artifacts;
  };

  const heldBy = async (vault: MemoryVault, [artifact]: readonly Artifact[]): Promise<Set<string>> => {
    if (artifact === undefined) throw new Error('the dump left no artifact');
    const query = { table: 'encrypted_transaction', columns: ['hash'], max: 'timestamp' };
    const { facts } = await readDump(artifact.content, openArtifact(vault, artifact), [query]);
    const [answer] = facts['encrypted_transaction'] ?? [];
    if (answer?.status !== 'rows') throw new Error(`the dump answers ${answer?.status}`);
    return new Set(answer.rows.map(({ hash }) => (hash ?? '').replace(/^\\x/, '')));
  };

  const exported = async ({ vault, records }: HistoryWorld): Promise<string[]> => {
    const found: string[] = [];
    for (const { node, file } of await records()) {
      found.push(...payloadsIn(await collect(vault.read(chainFileKey(node, file.name)))));
    }
    return found;
  };

  interface Round {
    readonly slot: string;
    readonly vault: MemoryVault;
    readonly history: HistoryWorld;
    readonly load: PrivateLoad;
  }
  type Order = (round: Round) => Promise<readonly Artifact[]>;

  /** The payloads that blocks in the history name, and those of them that are not in the dump. */
  async function lost(slot: string, order: Order): Promise<{ named: number; missing: number }> {
    await client.query('TRUNCATE encrypted_transaction');
    const vault = new MemoryVault();
    const history = await historyIn({ vault, keys: newKeys(), network: 'acme', now: () => new Date() }, 1, {
      blocksPerFile: 50,
    });
    const load = startPrivateLoad(client, await privateChain(MOST_BLOCKS), history.node);
    try {
      await load.until(20);
      const artifacts = await order({ slot, vault, history, load });
      const [named, held] = [await exported(history), await heldBy(vault, artifacts)];
      return { named: named.length, missing: named.filter((hash) => !held.has(hash)).length };
    } finally {
      await load.stop();
    }
  }

  const chainFirst: Order = async ({ slot, vault, history }) => {
    await history.run(slot);
    return dump(vault, slot);
  };
  const payloadsFirst: Order = async ({ slot, vault, history, load }) => {
    const artifacts = await dump(vault, slot);
    await load.until(load.head + 1);
    await history.run(slot);
    return artifacts;
  };

  test('captured after the chain’s end is fixed, Tessera’s database holds the payload of every block in the files', async () => {
    for (const slot of rounds) {
      const { named, missing } = await lost(slot, chainFirst);
      expect(named).toBeGreaterThan(20);
      expect({ slot, missing }).toEqual({ slot, missing: 0 });
    }
  }, 300_000);

  test('captured before it, each time the files have blocks whose payload is in no dump', async () => {
    for (const slot of rounds) {
      const { missing } = await lost(slot, payloadsFirst);
      expect({ slot, some: missing > 0 }).toEqual({ slot, some: true });
    }
  }, 300_000);
});
