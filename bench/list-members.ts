import { setTimeout as sleep } from 'node:timers/promises';
import { type Member, MemberId } from '../core/members.ts';
import { Instant, NetworkName } from '../core/names.ts';
import type { Vault } from '../core/vault.ts';
import { run as look } from '../lambdas/list-members/run.ts';
import { MemberStore } from '../test/fakes/member-store.ts';
import { MemoryVault } from '../test/fakes/memory-vault.ts';
import { ToyHistory, unprovenSigner } from '../test/support/toy-deliveries.ts';
import { deliver } from '../vault/deliver.ts';
import { actOn, readMembers } from '../vault/members.ts';
import { proveMember } from '../vault/prove-member.ts';
import type { BenchResult } from './result.ts';

const NETWORK = NetworkName.parse('acme');
const MEMBERS = 10_000;
/** Assumed: what S3 takes to answer a call, and how many keys one listing brings. */
const CALL_MS = 20;
const KEYS_A_LIST = 1000;
/** What `vault/member-status.ts` has under way at once. */
const AT_ONCE = 32;
/** What the step's Lambda may take. */
const TIMEOUT_SECONDS = 14 * 60;

/**
 * The look at the members of a deployed network, as the step makes it, over a vault in memory each of whose calls takes
 * a while: after a seal, so that every member lacks something, and all let us read back.
 */
export async function run(): Promise<BenchResult> {
  const vault = new GroupedVault();
  const history = new ToyHistory(vault);
  await history.seal(Buffer.from('a'));
  let now = Date.now();
  const clock = { now: () => new Date(now) };
  await fill(vault, clock);
  for (const body of ['b', 'c']) await history.seal(Buffer.from(body));
  now += 7_200_000;
  const counted = { calls: 0 };
  let lines = 0;
  const began = performance.now();
  const found = await look(
    {},
    {
      ...{ vault: slowly(vault, counted), clock, network: NETWORK, atWork: async () => new Set<string>() },
      journal: { note: () => {}, failure: () => {} },
      serves: () => true,
      wait: async () => {},
      gauges: { set: () => void (lines += 1) },
    },
  );
  const seconds = (performance.now() - began) / 1000;
  console.log(`${found.members} members, ${counted.calls} calls of ${CALL_MS} ms, ${lines} values measured`);
  console.log(`${found.pages.flat().length} listed for their deliveries; there are more: ${found.more}`);
  return {
    ...{ name: 'list-members', unit: 'seconds', ours: seconds, ratio: seconds / TIMEOUT_SECONDS },
    peer: { name: 'what the step may take', value: TIMEOUT_SECONDS },
    limit: { name: `the same calls, ${AT_ONCE} at once`, value: (counted.calls * CALL_MS) / 1000 / AT_ONCE },
  };
}

/** Members that have all of the history, and were read back once. */
async function fill(vault: Vault, clock: { now: () => Date }): Promise<void> {
  const registry = { vault, clock, network: NETWORK, by: 'a benchmark' };
  const stores = new Map<string, MemberStore>();
  for (let n = 0; n < MEMBERS; n++) {
    const member = MemberId.parse(`bank-${n}`);
    const report = { at: Instant.parse(clock.now().toISOString()), faults: [], reads: true };
    stores.set(member, Object.assign(new MemberStore(member), { grantsReads: true }));
    await actOn(registry, member, { what: 'register', destination: { kind: 'folder', path: `/${member}` } });
    await actOn(registry, member, { what: 'check', report });
    await actOn(registry, member, { what: 'set', environmentBackupTarget: true });
  }
  const destinationOf = ({ member }: Member) => stores.get(member) ?? new MemberStore(member);
  const ports = { ...registry, destinationOf, signer: unprovenSigner, signal: AbortSignal.any([]) };
  const all = (await readMembers(vault)).members.map(({ value }) => value);
  await deliver(ports, all);
  for (const member of all) await proveMember(ports, member, { bytes: 1e9 });
}

/** Lists what is under two names without looking at all else. */
class GroupedVault extends MemoryVault {
  readonly #groups = new Map<string, MemoryVault>();

  override async putOnce(key: string, body: Uint8Array): Promise<boolean> {
    const won = await super.putOnce(key, body);
    const group = this.#groups.get(groupOf(key)) ?? new MemoryVault();
    this.#groups.set(groupOf(key), group);
    if (won) group.objects.set(key, body);
    return won;
  }

  override list(prefix: string, startAfter?: string) {
    const isInOne = prefix.split('/').length > 2;
    return isInOne
      ? (this.#groups.get(groupOf(prefix)) ?? new MemoryVault()).list(prefix, startAfter)
      : super.list(prefix, startAfter);
  }
}

const groupOf = (key: string): string => key.split('/').slice(0, 2).join('/');

/** Each call waits, and a listing for each page of it. */
function slowly(vault: MemoryVault, counted: { calls: number }): Vault {
  const wait = () => {
    counted.calls += 1;
    return sleep(CALL_MS);
  };
  return Object.assign(Object.create(vault) as MemoryVault, {
    get: async (...asked: Parameters<Vault['get']>) => (await wait(), vault.get(...asked)),
    stat: async (key: string) => (await wait(), vault.stat(key)),
    list: async function* (...asked: Parameters<Vault['list']>) {
      let at = 0;
      await wait();
      for await (const each of vault.list(...asked)) {
        if (at > 0 && at % KEYS_A_LIST === 0) await wait();
        at += 1;
        yield each;
      }
    },
  });
}
