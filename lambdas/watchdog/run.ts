import pLimit from 'p-limit';
import { type ChainSettings, dueSlot } from '../../core/chain-settings.ts';
import { snapshotPrefix } from '../../core/deployed-names.ts';
import { LedgerholdError } from '../../core/errors.ts';
import type { About, Clock, Gauges, Journal } from '../../core/ports.ts';
import type { InputOf, OutputOf } from '../../core/step.ts';
import type { Vault } from '../../core/vault.ts';
import type { Protocol } from '../../protocols/protocol.ts';
import { currentSettings } from '../../vault/settings.ts';
import { trustFrom } from '../../vault/trust.ts';
import type { WatchedNode, watchdog } from './contract.ts';
import { measureHistory, stalled } from './watch-chain.ts';
import {
  measureDrill,
  measureIdentities,
  measureSchedule,
  measureSets,
  refusedForOrder,
  type Turn,
} from './watch-node.ts';

export interface WatchdogPorts {
  readonly vault: Vault;
  readonly clock: Clock;
  readonly gauges: Gauges;
  readonly journal: Journal;
  readonly protocolNamed: (name: string) => Protocol;
  /** Of the key that signs manifests: asked of KMS, never of the vault. */
  readonly publicKeyPem: () => Promise<string>;
  /** ARNs of the keys that every backup needs. */
  readonly keys: readonly string[];
  /** Why nobody can rely on a key; undefined if it is well. */
  readonly keyFault: (arn: string) => Promise<string | undefined>;
  readonly secretState: (arn: string) => Promise<{ readonly fault?: string; readonly current?: string }>;
  /** Snapshots of ours that are whole now, and the keys they need. */
  readonly snapshotShelf: (prefix: string) => Promise<Shelf>;
  /** Percent. */
  readonly snapshotQuotaUsed: () => Promise<number>;
  /** Where each node's newest manifest was seen last; kept between calls, and safe to lose. */
  readonly heads: Map<string, number>;
}

interface Shelf {
  readonly available: ReadonlySet<string>;
  readonly keys: ReadonlySet<string>;
}

/** 100 nodes of some 20 calls each are through in seconds; S3 takes 5,500 reads a second for one prefix. */
const NODES_AT_ONCE = 10;

/** One turn. What cannot be measured is logged and given no value; it never keeps anything else from being measured. */
export async function run(
  { network, snapshots, ofNetwork, nodes, keys }: InputOf<typeof watchdog>,
  ports: WatchdogPorts,
): Promise<OutputOf<typeof watchdog>> {
  const { vault, clock, gauges, publicKeyPem, snapshotQuotaUsed } = ports;
  const measures = measuring(ports);
  const shelf = once(() => (snapshots ? ports.snapshotShelf(snapshotPrefix(network)) : NOTHING));
  const trust = once(async () => trustFrom(vault, [await publicKeyPem()]));
  const limit = pLimit(NODES_AT_ONCE);
  const watch = async (watched: WatchedNode) => {
    const snapshotThere = async (id: string) => (await shelf()).available.has(id);
    const turn = async (): Promise<Turn> => ({ network, now: clock.now(), trust: await trust(), snapshotThere });
    return watchNode(watched, turn, ports, measures);
  };
  const [seen] = await Promise.all([
    Promise.all(nodes.map((node) => limit(() => watch(node)))),
    ofNetwork &&
      measures.take('KeysEndangered', {}, async () =>
        measureKeys(network, [...ports.keys, ...keys, ...(await shelf()).keys], ports),
      ),
    ofNetwork &&
      snapshots &&
      measures.take('SnapshotQuotaUsed', {}, async () =>
        gauges.set('SnapshotQuotaUsed', await snapshotQuotaUsed(), { network }),
      ),
  ]);
  const watched = seen.filter(Boolean).length;
  // A turn that nothing was expected of has read all that there was to read.
  gauges.set('NodesWatched', nodes.length === 0 ? 1 : watched, { network });
  gauges.set('NodesUnreadable', nodes.length - watched, { network });
  measures.rejectIfABug();
  return { watched, unreadable: nodes.length - watched };
}

const NOTHING: Promise<Shelf> = Promise.resolve({ available: new Set<string>(), keys: new Set<string>() });

/** Whether the vault could be read for this node. */
async function watchNode(
  watched: WatchedNode,
  turnOf: () => Promise<Turn>,
  ports: WatchdogPorts,
  { take }: Measures,
): Promise<boolean> {
  const { node } = watched;
  const turn = await take('Trust', { node }, turnOf);
  if (turn === undefined) return false;
  const { network } = turn;
  if (watched.chain !== undefined) return watchChain(watched, watched.chain, turn, ports, take);
  const sets = await take('RpoAge', { node }, () => measureSets(watched, turn, ports));
  const attempt = await take('ScheduleSilence', { node }, () => measureSchedule(watched, turn, ports));
  if (sets !== undefined && attempt !== undefined) {
    ports.gauges.set('OrderViolations', sets.violations + refusedForOrder(attempt), { network, node });
  }
  if (watched.credentials.length > 0 || watched.identities !== undefined) {
    await take('IdentityFaults', { node }, () => measureIdentities(watched, sets?.newest, turn, ports));
  }
  await take('DrillAge', { node }, () => measureDrill(watched, turn, ports));
  return sets !== undefined && attempt !== undefined;
}

async function watchChain(
  watched: WatchedNode,
  initial: ChainSettings,
  turn: Turn,
  ports: WatchdogPorts,
  take: Measures['take'],
): Promise<boolean> {
  const { node } = watched;
  const { network } = turn;
  const settings = await take('Settings', { node }, () => currentSettings(ports.vault, node, initial));
  if (settings === undefined) return false;
  const seen = await take('RpoAge', { node }, async () => {
    await measureHistory(watched, settings, turn, ports);
    return true;
  });
  const due = dueSlot(settings, watched.timeZone, turn.now);
  const attempt = await take('ScheduleSilence', { node }, () => measureSchedule(watched, turn, ports, due ?? null));
  if (attempt === undefined) return false;
  ports.gauges.set('ConsensusStalls', stalled(attempt), { network, node });
  await take('DrillAge', { node }, () => measureDrill(watched, turn, ports));
  return seen === true;
}

/** Keys that many snapshots share are looked at once; a handful of databases has a handful of keys. */
async function measureKeys(network: string, needed: readonly string[], ports: WatchdogPorts): Promise<void> {
  const limit = pLimit(NODES_AT_ONCE);
  const keys = [...new Set(needed)];
  const faults = await Promise.all(keys.map((key) => limit(() => ports.keyFault(key))));
  for (const [index, fault] of faults.entries()) {
    if (fault !== undefined) ports.journal.note('key endangered', { key: keys[index] ?? '', why: fault });
  }
  ports.gauges.set('KeysEndangered', faults.filter((fault) => fault !== undefined).length, { network });
}

interface Measures {
  /** Resolves to undefined, and says so in the log, if it could not be taken. */
  take<T>(name: string, about: About, measure: () => Promise<T>): Promise<T | undefined>;
  /** What is no error of ours is told by the Lambda's own failure, too, once everything else has been measured. */
  rejectIfABug(): void;
}

function measuring({ journal }: WatchdogPorts): Measures {
  const bugs: unknown[] = [];
  return {
    take: async (measure, about, act) => {
      try {
        return await act();
      } catch (error) {
        journal.failure('not measured', { measure, ...about }, error);
        if (!(error instanceof LedgerholdError)) bugs.push(error);
        return undefined;
      }
    },
    rejectIfABug: () => {
      if (bugs.length > 0) throw bugs[0];
    },
  };
}

/** Asked for by many, made once, and not before it is asked for. */
function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make();
    return made;
  };
}
