import { describe, expect, test } from '@jest/globals';
import { snapshotId } from '../../../core/deployed-names.ts';
import { NetworkName, NodeName, Sha256 } from '../../../core/names.ts';
import type { Gauges, Journal } from '../../../core/ports.ts';
import { Captured } from '../../../core/receipts.ts';
import { SNAPSHOT_CONTENT } from '../../../core/snapshots.ts';
import type { StoredObject } from '../../../core/vault.ts';
import { VaultUnavailable } from '../../../core/vault.ts';
import { sha256 } from '../../../io/digest.ts';
import { WatchedNode } from '../../../lambdas/watchdog/contract.ts';
import { run, type WatchdogPorts } from '../../../lambdas/watchdog/run.ts';
import { recordDrill } from '../../../vault/drills.ts';
import { MemoryVault } from '../../fakes/memory-vault.ts';
import { backupToy, newKeys, toyProtocol, toyRun, toySteps } from '../../support/toy-sets.ts';

const network = NetworkName.parse('toy-net');
const keys = newKeys();
const watched = (node: string) =>
  WatchedNode.parse({ node, everySeconds: 14_400, timeZone: 'UTC', components: ['app', 'ledger'], credentials: [] });

/** Counts the calls for each node, and refuses those of some. */
class WatchedVault extends MemoryVault {
  readonly calls = new Map<string, number>();
  refused = 'nobody';
  atOnce = 0;
  mostAtOnce = 0;
  pause = 0;

  async #call<T>(key: string, act: () => T): Promise<Awaited<T>> {
    const node = /(?:sets|leases|drills)\/([^/]+)/.exec(key)?.[1] ?? '';
    this.calls.set(node, (this.calls.get(node) ?? 0) + 1);
    this.mostAtOnce = Math.max(this.mostAtOnce, ++this.atOnce);
    if (this.pause > 0) await new Promise((resolve) => setTimeout(resolve, this.pause));
    this.atOnce -= 1;
    if (node === this.refused) throw new VaultUnavailable(`${node} is away`, 'Wait.');
    return await act();
  }

  override get(key: string, limit?: number): Promise<Uint8Array | undefined> {
    return this.#call(key, () => super.get(key, limit));
  }

  override async *list(prefix: string, startAfter?: string): AsyncIterable<StoredObject> {
    yield* await this.#call(prefix, () => super.list(prefix, startAfter));
  }
}

/** What was set, by gauge and what it is of. */
function recorded() {
  const values = new Map<string, number>();
  const gauges: Gauges = {
    set: (name, value, of) => void values.set(`${name} ${Object.values(of).slice(1).join(' ')}`.trim(), value),
  };
  const log: string[] = [];
  const journal: Journal = {
    note: (what, about) => void log.push(`${what} ${JSON.stringify(about)}`),
    failure: (what, about, error) => void log.push(`${what} ${JSON.stringify(about)} ${String(error)}`),
  };
  return { values, log, gauges, journal };
}

function world(vault: WatchedVault) {
  const { values, log, gauges, journal } = recorded();
  const ports: WatchdogPorts = {
    ...{ vault, gauges, journal, keys: [], heads: new Map() },
    clock: { now: () => new Date('2026-11-01T08:10:00Z') },
    protocolNamed: () => toyProtocol,
    publicKeyPem: async () => keys.publicKey,
    keyFault: async () => undefined,
    secretState: async () => ({ current: 'one' }),
    snapshotShelf: async () => ({ available: new Set<string>(), keys: new Set<string>() }),
    snapshotQuotaUsed: async () => 12,
  };
  const turn = (nodes: readonly string[], changes: Partial<WatchdogPorts> = {}) =>
    run({ network, snapshots: true, ofNetwork: true, nodes: nodes.map(watched), keys: [] }, { ...ports, ...changes });
  return { values, log, ports, turn };
}

const seal = (vault: WatchedVault, node: string, slot: string, minutes = 1) =>
  backupToy({ vault, keys, now: () => new Date(Date.parse(slot) + minutes * 60_000) }, slot, {
    node: NodeName.parse(node),
  });
const SLOT = '2026-11-01T08:00:00Z';

describe('a turn of the watchdog', () => {
  test('measures the age of each component since its capture began, and says what it could not', async () => {
    const vault = new WatchedVault();
    await seal(vault, 'toy-1', SLOT);
    const { values, turn } = world(vault);
    expect(await turn(['toy-1'])).toEqual({ watched: 1, unreadable: 0 });
    expect(Object.fromEntries(values)).toEqual({
      ...{ 'RpoAge toy-1 app': 540, 'RpoAge toy-1 ledger': 540, 'ScheduleSilence toy-1': 0, 'RunningFor toy-1': 0 },
      ...{ 'OrderViolations toy-1': 0, 'Unproven toy-1': 0, 'Damages toy-1': 0 },
      ...{ KeysEndangered: 0, SnapshotQuotaUsed: 12, NodesWatched: 1, NodesUnreadable: 0 },
    });
  });

  test.each([
    ['Europe/Zurich', '2026-03-29T02:00:00Z'],
    ['Europe/Zurich', '2026-10-25T03:00:00Z'],
    ['America/New_York', '2026-03-08T08:00:00Z'],
    ['America/New_York', '2026-11-01T09:00:00Z'],
  ])('goes by the clock on the wall on a day that it changes: in %s a run was due at %s', async (timeZone, slot) => {
    const node = WatchedNode.parse({ ...watched('toy-1'), timeZone });
    const input = { network, snapshots: false, ofNetwork: true, nodes: [node], keys: [] };
    // Half an hour before the next one.
    const now = () => new Date(Date.parse(slot) + 12_600_000);
    const silence = async (vault: WatchedVault) => {
      const { values, ports } = world(vault);
      await run(input, { ...ports, clock: { now } });
      return values.get('ScheduleSilence toy-1');
    };
    const begun = new WatchedVault();
    await seal(begun, 'toy-1', slot);
    expect([await silence(begun), await silence(new WatchedVault())]).toEqual([0, 12_600]);
  });

  test('sees the others where one node cannot be read', async () => {
    const vault = new WatchedVault();
    for (const node of ['toy-1', 'toy-2', 'toy-3']) await seal(vault, node, SLOT);
    vault.refused = 'toy-2';
    const { values, log, turn } = world(vault);
    expect(await turn(['toy-1', 'toy-2', 'toy-3'])).toEqual({ watched: 2, unreadable: 1 });
    expect([...values.keys()].filter((key) => key.includes('toy-2'))).toEqual([]);
    expect([values.get('RpoAge toy-1 app'), values.get('RpoAge toy-3 ledger')]).toEqual([540, 540]);
    expect(log.join('\n')).toContain(
      'not measured {"measure":"RpoAge","node":"toy-2"} VaultUnavailable: toy-2 is away',
    );
  });

  test('fails after all else was measured if what it met is no error of ours', async () => {
    const vault = new WatchedVault();
    await seal(vault, 'toy-1', SLOT);
    const { values, turn } = world(vault);
    const bug = new TypeError('a bug');
    await expect(turn(['toy-1'], { keyFault: () => Promise.reject(bug), keys: ['key'] })).rejects.toBe(bug);
    expect(values.get('NodesWatched')).toBe(1);
    expect(values.has('KeysEndangered')).toBe(false);
  });

  test('holds no set for proven whose key is not the one that KMS gives', async () => {
    const vault = new WatchedVault();
    await seal(vault, 'toy-1', SLOT);
    const { values, turn } = world(vault);
    await turn(['toy-1'], { publicKeyPem: async () => newKeys().publicKey });
    expect(values.has('RpoAge toy-1 app')).toBe(false);
    expect(values.get('Damages toy-1')).toBe(1);
  });

  test('goes back to an older set that is proven', async () => {
    const vault = new WatchedVault();
    await seal(vault, 'toy-1', '2026-11-01T04:00:00Z');
    await seal(vault, 'toy-1', SLOT);
    vault.objects.delete(`sets/toy-1/runs/${SLOT}/1/app.bin`);
    const { values, turn } = world(vault);
    await turn(['toy-1']);
    expect(values.get('RpoAge toy-1 app')).toBe(540 + 14_400);
  });

  test('sees a run under way, until its lease has run out', async () => {
    const vault = new WatchedVault();
    const at = (time: string) => ({ vault, keys, now: () => new Date(time) });
    await toySteps(at('2026-11-01T08:01:00Z'), toyRun(SLOT)).claim();
    const { values, turn } = world(vault);
    await turn(['toy-1']);
    expect(values.get('RunningFor toy-1')).toBe(600);
    await turn(['toy-1'], { clock: { now: () => new Date('2026-11-01T08:16:01Z') } });
    expect(values.get('RunningFor toy-1')).toBe(0);
  });

  test('believes a reference to a snapshot only if RDS has it whole', async () => {
    const vault = new WatchedVault();
    const now = () => new Date('2026-11-01T08:01:00Z');
    const steps = toySteps({ vault, keys, now }, toyRun(SLOT));
    const { finish } = steps.ports.captures;
    const asSnapshot = async (handle: string) => {
      const captured = await finish(handle);
      return Captured.parse({
        ...captured,
        artifacts: captured.artifacts.map((each) => ({ ...each, content: SNAPSHOT_CONTENT })),
      });
    };
    Object.assign(steps.ports.captures, { finish: asSnapshot });
    await steps.claim();
    await steps.capture();
    await steps.seal();
    const { values, log, turn } = world(vault);
    await turn(['toy-1']);
    expect(values.get('Damages toy-1')).toBe(2);
    expect(log.join('\n')).toContain('SNAPSHOT_MISSING');
    const ids = toyRun(SLOT).components.map(({ component }) =>
      snapshotId({ ...toyRun(SLOT), component, fence: 1 as never }, sha256),
    );
    await turn(['toy-1'], { snapshotShelf: async () => ({ available: new Set(ids), keys: new Set<string>() }) });
    expect([values.get('Damages toy-1'), values.get('RpoAge toy-1 app')]).toEqual([0, 540]);
  });

  test('finds the secret of the identities behind a quarter of an hour after the set, and not before', async () => {
    const vault = new WatchedVault();
    const now = () => new Date('2026-11-01T08:01:00Z');
    const steps = toySteps({ vault, keys, now }, toyRun(SLOT));
    const { finish } = steps.ports.captures;
    const noted = async (handle: string) =>
      Captured.parse({ ...(await finish(handle)), notes: { 'secret.versionId': 'two' } });
    Object.assign(steps.ports.captures, { finish: noted });
    await steps.claim();
    await steps.capture();
    await steps.seal();
    const { values, ports } = world(vault);
    const nodes = [WatchedNode.parse({ ...watched('toy-1'), identities: 'arn:secret' })];
    const at = (time: string, current: string) =>
      run(
        { network, snapshots: false, ofNetwork: true, nodes, keys: [] },
        { ...ports, clock: { now: () => new Date(time) }, secretState: async () => ({ current }) },
      ).then(() => values.get('IdentityFaults toy-1'));
    expect(await at('2026-11-01T08:10:00Z', 'one')).toBe(0);
    expect(await at('2026-11-01T08:20:00Z', 'one')).toBe(1);
    expect(await at('2026-11-01T08:20:00Z', 'two')).toBe(0);
  });

  test('tells how long ago the newest drill ended that is signed by the key, and how', async () => {
    const vault = new WatchedVault();
    await seal(vault, 'toy-1', SLOT);
    const drill = {
      ...{ format: 'ledgerhold/drill/1', network, node: NodeName.parse('toy-1'), set: 'toy-1/1' },
      ...{ manifest: Sha256.parse('a'.repeat(64)), steps: [], rtoMilliseconds: 1, outcome: 'failed' },
      ...{ startedAt: '2026-11-01T07:00:00.000Z', endedAt: '2026-11-01T07:10:00.000Z' },
    } as unknown as Parameters<typeof recordDrill>[2];
    await recordDrill(vault, keys.signer, drill);
    const { values, turn } = world(vault);
    await turn(['toy-1']);
    expect([values.get('DrillAge toy-1'), values.get('DrillFailed toy-1')]).toEqual([3600, 1]);
    await recordDrill(vault, newKeys().signer, drill);
    values.clear();
    await turn(['toy-1']);
    expect(values.has('DrillAge toy-1')).toBe(false);
  });

  test('costs the same few calls however long the chain is, and reads few nodes at once', async () => {
    const vault = new WatchedVault();
    const many = Array.from({ length: 15 }, (_, n) => `toy-${n + 1}`);
    for (const node of many) await seal(vault, node, SLOT);
    const { turn } = world(vault);
    vault.calls.clear();
    vault.pause = 1;
    await turn(many);
    // 10 nodes, each one call after the other.
    expect(vault.mostAtOnce).toBeLessThanOrEqual(10);
    const first = vault.calls.get('toy-1') ?? 0;
    for (let n = 1; n <= 20; n += 1) {
      await seal(vault, 'toy-1', `2026-10-${String(n + 10)}T00:00:00Z`, 21 * 1440);
    }
    vault.calls.clear();
    vault.pause = 0;
    await turn(['toy-1']);
    // One more than for a first set: the manifest before it.
    expect(vault.calls.get('toy-1')).toBe(first + 1);
    // Manifest, the one before, signature, tombstone, two halves for each of two components; five listings; lease, drill.
    expect(first).toBeLessThanOrEqual(16);
  });
});
