import type { Member } from '../../core/members.ts';
import { NetworkName } from '../../core/names.ts';
import { machineTimer, type Timer } from '../../vault/abreast.ts';
import { type DeliverPorts, type DeliverWish, deliver } from '../../vault/deliver.ts';
import { receiptsOf } from '../../vault/deliveries.ts';
import { actOn, readMember, readMembers } from '../../vault/members.ts';
import { proveMember, type ReadBounds } from '../../vault/prove-member.ts';
import { unlessSilent } from '../../vault/unless-silent.ts';
import { MemberStore } from '../fakes/member-store.ts';
import { MemoryVault } from '../fakes/memory-vault.ts';
import { ToyHistory, unprovenSigner } from './toy-deliveries.ts';

/** A vault with a history, and members whose stores are in memory. */
export function deliveryWorld() {
  const vault = new MemoryVault();
  const history = new ToyHistory(vault);
  const second = new ToyHistory(vault, unprovenSigner, 'second');
  const stores = new Map<string, MemberStore>();
  let now = Date.parse('2026-11-01T00:00:00Z');
  const clock = { now: () => new Date(now) };
  const registry = { vault, clock, network: NetworkName.parse('acme'), by: 'a test' };
  const storeOf = (member: string) => {
    const store = stores.get(member) ?? new MemberStore(member);
    stores.set(member, store);
    return store;
  };
  const destinationOf = ({ member }: Member) => storeOf(member);
  const act = (member: string, ...acts: Parameters<typeof actOn>[2][]) =>
    acts.reduce(
      async (before, each) => (await before, actOn(registry, member, each)),
      Promise.resolve() as Promise<unknown>,
    );
  const at = '2026-11-01T00:00:00.000Z' as Member['at'];
  const register = (member: string) =>
    act(
      member,
      { what: 'register', destination: { kind: 'folder', path: `/${member}` } },
      { what: 'check', report: { at, faults: [] } },
    );
  const join = async (...members: string[]) => {
    for (const member of members) {
      await register(member);
      await act(member, { what: 'set', environmentBackupTarget: true });
    }
  };
  const stuck = new Map<string, Set<Promise<unknown>>>();
  const boundedBy =
    (timer: Timer) =>
    ({ member }: Member) => {
      const own = stuck.get(member) ?? new Set();
      stuck.set(member, own);
      return unlessSilent(storeOf(member), { timer, stuck: own });
    };
  let reads = 0;
  const counted = Object.assign(Object.create(vault) as MemoryVault, {
    read: (...asked: Parameters<MemoryVault['read']>) => {
      reads += 1;
      return vault.read(...asked);
    },
  });
  const run = async (
    bounds: DeliverWish = {},
    signal = AbortSignal.any([]),
    timer = machineTimer,
    told: Pick<DeliverPorts, 'onArrived'> = {},
  ) => {
    const members = (await readMembers(vault)).members.map(({ value }) => value);
    const ports = {
      ...registry,
      vault: counted,
      signer: unprovenSigner,
      destinationOf: boundedBy(timer),
      signal,
      timer,
      ...told,
    };
    const ends = await deliver(ports, members, bounds);
    return Object.fromEntries(ends.map((end) => [end.member, end]));
  };
  return {
    ...{ vault, history, second, storeOf, act, register, join, run, registry, destinationOf, boundedBy },
    /** A turn of reading back. */
    readBack: async (member: string, bounds: ReadBounds = { bytes: 1e9 }) => {
      const found = await readMember(vault, member);
      if (found === undefined) throw new Error(`there is no ${member}`);
      const ports = { ...registry, signer: unprovenSigner, destinationOf, signal: AbortSignal.any([]) };
      return proveMember(ports, found.value, bounds);
    },
    /** Registers a member that lets us read, and makes it a target. */
    joinReadable: async (member: string) => {
      storeOf(member).grantsReads = true;
      await act(
        member,
        { what: 'register', destination: { kind: 'folder', path: `/${member}` } },
        { what: 'check', report: { at, faults: [], reads: true } },
        { what: 'set', environmentBackupTarget: true },
      );
    },
    reads: () => reads,
    later: (seconds: number) => {
      now += seconds * 1000;
    },
    /** What of the vault a member is to have in the end. */
    shared: () => [...vault.objects.keys()].filter((key) => /^(chain\/|keys\/|format\.json)/.test(key)).sort(),
    held: (member: string) => [...storeOf(member).objects.keys()].sort(),
    receipts: async (member: string) => Array.fromAsync(receiptsOf(vault, member)),
  };
}
