import { AsyncLocalStorage } from 'node:async_hooks';
import type { RDSClient } from '@aws-sdk/client-rds';
import { deployedCaptures } from '../../aws/deployed-captures.ts';
import { rdsEnds, rdsSource } from '../../aws/rds-captures.ts';
import { ComponentName, type NodeName } from '../../core/names.ts';
import { AFTER_TAG, TAG } from '../../core/snapshots.ts';
import type { Vault } from '../../core/vault.ts';
import type { Protocol } from '../../protocols/protocol.ts';
import { MemoryVault } from '../fakes/memory-vault.ts';
import { type Called, type Fault, fakeRds } from '../fakes/rds.ts';
import { AnswerLost, type Call, type Params, Refusal } from '../fakes/rds-wire.ts';
import { always, availableAfter, type Course, until } from '../fakes/rds-world.ts';
import type { Numbers } from './numbers.ts';
import { type Keys, toyProtocol } from './toy-sets.ts';

/** Two side by side, then the ledger, then what follows it. */
export const COMPONENTS = ['app', 'wallet', 'ledger', 'archive'].map((name) => ComponentName.parse(name));
export const ORDER = [
  ['app', 'ledger'],
  ['wallet', 'ledger'],
  ['ledger', 'archive'],
] as const;
export const protocol: Protocol = {
  ...toyProtocol,
  roles: Object.fromEntries(COMPONENTS.map((name) => [name, { kind: 'database', holds: name, required: true }])),
  order: ORDER,
};
export const BEFORE: Readonly<Record<string, readonly string[]>> = {
  ...{ app: [], wallet: [], ledger: ['app', 'wallet'], archive: ['app', 'wallet', 'ledger'] },
};

/** A Lambda that ended between two effects: nothing of it does anything any more. */
export class Killed extends Error {
  override readonly name: string;
  constructor(name: string) {
    super('the process is gone');
    this.name = name;
  }
}

/** One call of one step. */
interface Invocation {
  /** Effects until it is killed. */
  left: number;
  readonly after: boolean;
  readonly error: string;
  /** Its clock is off by so many milliseconds. */
  readonly skew: number;
  /** Snapshots that it has seen to be available. */
  readonly seen: Set<string>;
}

/** A node whose databases lie in an RDS that fails as the numbers say, and steps that are killed between any two effects. */
export function seededWorld(random: Numbers, keys: Keys, node: NodeName) {
  const vault = new MemoryVault();
  const now = () => new Date();
  const rds = fakeRds({ now });
  const invocations = new AsyncLocalStorage<Invocation>();
  const state = { faults: true, ...{ throttled: random.one([0, 0, 0.05, 0.3]), lost: random.one([0, 0.05, 0.2]) } };
  const broken: string[] = [];
  for (const each of COMPONENTS) rds.addInstance(each, {}, random.chance(0.2) ? busyFor(random) : always('available'));
  rds.world.course = () => (state.faults ? courseOf(random) : availableAfter(60));

  const effect = async <T>(act: () => Promise<T>): Promise<T> => {
    const invocation = invocations.getStore();
    if (invocation === undefined) return act();
    if (invocation.left <= 0) throw new Killed(invocation.error);
    invocation.left -= 1;
    if (invocation.left > 0) return act();
    if (invocation.after) await act();
    throw new Killed(invocation.error);
  };
  rds.onCall((called) => faultOf(called, state, random));
  const watched = watchedCall(rds, invocations, broken);
  const client = directClient((action, params) => effect(() => watched(action, params)));
  const mortal: Vault = {
    url: vault.url,
    putOnce: (key, body) => effect(() => vault.putOnce(key, body)),
    writeOnce: (...args) => effect(() => vault.writeOnce(...args)),
    get: (...args) => vault.get(...args),
    read: (...args) => vault.read(...args),
    stat: (key) => vault.stat(key),
    list: (...args) => vault.list(...args),
  };
  const clock = { now: () => new Date(Date.now() + (invocations.getStore()?.skew ?? 0)) };
  const reach = { rds: client, vault: mortal, clock };
  const captures = deployedCaptures({
    ends: { rds: rdsEnds(reach) },
    sourceOf: (_, component) => rdsSource({ kind: 'instance', id: component }, reach),
  });
  const ports = { vault: mortal, clock, signer: keys.signer, holderGone: () => false, protocolNamed: () => protocol };

  /** A call of a step, which may be killed. */
  const invoke = <T>(run: () => Promise<T>): Promise<T> => {
    const kill = state.faults && random.chance(0.06);
    const invocation: Invocation = {
      left: kill ? 1 + random.below(4) : Number.POSITIVE_INFINITY,
      after: random.chance(0.5),
      error: random.one(['Lambda.AWSLambdaException', 'Lambda.Unknown', 'Lambda.Unknown']),
      skew: state.faults ? (random.below(1200) - 600) * 1000 : 0,
      seen: new Set(),
    };
    return invocations.run(invocation, run);
  };
  const deleteOne = () => {
    const [id] = [...rds.world.snapshots.keys()].filter(() => random.chance(0.3));
    if (id !== undefined) rds.world.snapshots.delete(id);
  };
  const heal = () => {
    state.faults = false;
    for (const each of COMPONENTS) rds.addInstance(each);
  };
  return { vault, rds, node, broken, invoke, deleteOne, heal, ports: { ...ports, captures } };
}

export type SeededWorld = ReturnType<typeof seededWorld>;

/** The SDK's client without what it does on the wire, which would be most of the time; `test/aws` has it whole. */
const directClient = (call: Call): RDSClient =>
  ({
    send: async ({ constructor, input }: { constructor: { name: string }; input: Params }) => {
      try {
        return await call(constructor.name.replace(/Command$/, ''), input);
      } catch (error) {
        if (error instanceof AnswerLost) throw Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' });
        if (!(error instanceof Refusal)) throw error;
        const $metadata = { httpStatusCode: error.status };
        throw Object.assign(new Error(error.message), { name: `${error.code}`, $metadata });
      }
    },
  }) as unknown as RDSClient;

/** The law, held to at every call that takes effect: who is created has seen its predecessors available, in its own call. */
function watchedCall(
  rds: ReturnType<typeof fakeRds>,
  invocations: AsyncLocalStorage<Invocation>,
  broken: string[],
): typeof rds.call {
  const idOf = (tags: Readonly<Record<string, string>>, component: string) =>
    [...rds.world.snapshots.values()].find(({ shape }) => {
      const own = new Map((shape.TagList ?? []).map(({ Key, Value }) => [Key, Value]));
      const same = [TAG.node, TAG.slot, TAG.fence].every((tag) => own.get(tag) === tags[tag]);
      return same && own.get(TAG.component) === component;
    })?.shape.DBSnapshotIdentifier;
  return async (action, params) => {
    const seen = invocations.getStore()?.seen ?? new Set<string>();
    if (action === 'CreateDBSnapshot') {
      const given = params['Tags'] as unknown as { Key: string; Value: string }[];
      const tags = Object.fromEntries(given.map(({ Key, Value }) => [Key, Value]));
      const component = tags[TAG.component] ?? '';
      for (const before of BEFORE[component] ?? []) {
        const id = idOf(tags, before);
        // Deleted between the look and the call: then it was seen all the same.
        if (tags[`${AFTER_TAG}${before}`] === undefined) broken.push(`${component} does not cite ${before}`);
        if (id === undefined ? seen.size === 0 : !seen.has(id)) broken.push(`${component} before ${before} was seen`);
      }
    }
    const answer = await rds.call(action, params);
    for (const each of (answer['DBSnapshots'] ?? []) as { DBSnapshotIdentifier: string; Status: string }[]) {
      if (each.Status === 'available') seen.add(each.DBSnapshotIdentifier);
    }
    return answer;
  };
}

function courseOf(random: Numbers): Course {
  const seconds = random.one([1, 30, 30, 120, 120, 900, 5000]) * (0.5 + random.next());
  const then = random.below(20);
  if (then === 0) return until(seconds, 'creating', always('failed'));
  if (then === 1) return always('creating', random.below(100));
  if (then === 2) return until(seconds, 'creating', always('defragmenting'));
  return availableAfter(seconds);
}

const busyFor = (random: Numbers): Course =>
  until(random.one([60, 900, 7200]), random.one(['backing-up', 'modifying', 'rebooting']), always('available'));

function faultOf(
  { action }: Called,
  { faults, throttled, lost }: { readonly faults: boolean; readonly throttled: number; readonly lost: number },
  random: Numbers,
): Fault | undefined {
  if (!faults) return undefined;
  if (random.chance(throttled)) return { code: 'Throttling' };
  if (action.startsWith('Create') && random.chance(lost)) return 'answer lost';
  return random.chance(0.01) ? { code: 'InternalFailure', status: 500 } : undefined;
}
