import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, test } from '@jest/globals';
import type { Member } from '../../core/members.ts';
import { memberPrefix, NetworkName } from '../../core/names.ts';
import { folderDestination } from '../../local/folder-destination.ts';
import { folderVault } from '../../local/folder-vault.ts';
import { protocolNamed } from '../../protocols/registry.ts';
import { checkMember } from '../../vault/check-members.ts';
import { deliver } from '../../vault/deliver.ts';
import { actOn, readMembers } from '../../vault/members.ts';
import { verify } from '../../vault/verify.ts';
import { PROGRAM } from '../support/cli-world.ts';
import { type Numbers, numbers } from '../support/numbers.ts';
import { soon } from '../support/processes.ts';
import { type HistoryWorld, historyWorld } from '../support/toy-history.ts';
import { branch, grown } from '../support/toy-network.ts';

const RUNS = 50;
const ONLY = process.env['SEED'];
const seeds = ONLY === undefined ? Array.from({ length: RUNS }, (_, n) => n + 1) : [Number(ONLY)];

const [JOINER, ...MEMBERS] = ['bank-e', 'bank-a', 'bank-b', 'bank-c', 'bank-d'] as const;
/** These fail in some way; the others must be whole after each delivery that is let end. */
const DOWN = ['bank-c', 'bank-d'] as const;
const SHARED = /^(chain\/|keys\/|format\.json)/;

/** A history by the real steps, and its objects run by run, in the order in which they were written. */
let world: HistoryWorld;
const stages: (readonly [string, Uint8Array])[][] = [];
beforeAll(async () => {
  world = await historyWorld(8);
  const { vault, node } = world;
  for (const slot of ['one', 'two', 'three', 'four']) {
    const before = new Set(vault.objects.keys());
    if (stages.length > 0) node.chain = await grown(node.chain, node.chain.blocks.length, branch(6, 1));
    await world.run(slot);
    stages.push([...vault.objects].filter(([key]) => !before.has(key)));
  }
});

const CONFIG = `network: acme
vault: { folder: ./vault }
encryption: none
signing: { keyFile: ./signing-key.pem }
nodes:
  - name: consortium
    protocol: ethereum
    client: geth
    monitor: { rpc: "http://127.0.0.1:9" }
    validators: [ { name: bank-a, rpc: "http://127.0.0.1:9" } ]
`;

/** What a person or a broken machine does to a folder; what it answers brings the folder back. */
const FAULTS: Readonly<Record<string, (path: string) => Promise<() => Promise<unknown>>>> = {
  'is closed': async (path) => {
    await chmod(path, 0o000);
    return () => chmod(path, 0o700);
  },
  'is not mounted': async (path) => {
    await rename(path, `${path}-away`);
    await mkdir(path);
    return async () => {
      await rm(path, { recursive: true });
      await rename(`${path}-away`, path);
    };
  },
  'is gone': async (path) => {
    await rm(path, { recursive: true });
    return () => mkdir(path, { recursive: true });
  },
  'is a file': async (path) => {
    await rename(path, `${path}-away`);
    await writeFile(path, 'not a folder');
    return async () => {
      await rm(path);
      await rename(`${path}-away`, path);
    };
  },
  'is well': async () => async () => {},
};

class Run {
  readonly cwd: string;
  readonly #random: Numbers;
  readonly #vault;
  readonly #registry;
  #stage = 0;
  killed = 0;

  constructor(cwd: string, random: Numbers, hours = 0) {
    this.cwd = cwd;
    this.#random = random;
    this.#vault = folderVault(join(cwd, 'vault'));
    const clock = { now: () => new Date(Date.now() + hours * 3_600_000) };
    const destinationOf = ({ member }: Member) => folderDestination(join(cwd, member), 'acme', member);
    this.#registry = { vault: this.#vault, clock, network: NetworkName.parse('acme'), by: 'a test', destinationOf };
  }

  async grow(): Promise<void> {
    for (const [key, bytes] of stages[this.#stage++] ?? []) await this.#vault.putOnce(key, bytes);
  }

  async join(member: string): Promise<void> {
    const path = join(this.cwd, member);
    await mkdir(path, { recursive: true });
    const act = (what: Parameters<typeof actOn>[2]) => actOn(this.#registry, member, what);
    const registered = await act({ what: 'register', destination: { kind: 'folder', path } });
    await checkMember(this.#registry, registered.value);
    await act({ what: 'set', environmentBackupTarget: true });
  }

  share = (member: string): string => join(this.cwd, member, memberPrefix('acme', member));

  /** What lies at a member proves itself at every moment, also right after a kill. */
  async prove(member: string): Promise<void> {
    const vault = folderVault(this.share(member));
    if ((await vault.stat('chain/consortium/manifests/00000001.json')) === undefined) return;
    const proof = { vault, publicKeys: [world.keys.publicKey], protocolNamed, depth: 'bytes' } as const;
    const { status, findings, chains } = await verify(proof);
    const all = [...findings, ...chains.flatMap((chain) => chain.findings)];
    expect({ member, status, bad: all.filter(({ level }) => level !== 'note') }).toEqual({
      member,
      status: 'proven',
      bad: [],
    });
  }

  async keysOf(vault: ReturnType<typeof folderVault>): Promise<string[]> {
    const keys = (await Array.fromAsync(vault.list(''))).map(({ key }) => key);
    return keys.filter((key) => SHARED.test(key));
  }

  /** One delivery by the built program, which may be killed in the middle. */
  async step(meanwhile: () => Promise<void>): Promise<void> {
    const back: (() => Promise<unknown>)[] = [];
    for (const member of DOWN) {
      const fault = FAULTS[this.#random.one(Object.keys(FAULTS))];
      if (fault !== undefined) back.push(await fault(join(this.cwd, member)));
    }
    const before = await this.keysOf(this.#vault);
    const child = spawn(process.execPath, [PROGRAM, 'deliver', '--json'], { cwd: this.cwd, stdio: 'ignore' });
    const ended = once(child, 'exit');
    await meanwhile();
    if (this.#random.chance(0.6)) await this.#kill(child, before.length);
    const [, signal] = await ended;
    for (const restore of back) await restore();
    for (const member of [JOINER, ...MEMBERS]) await this.prove(member);
    const up = MEMBERS.filter((member) => !(DOWN as readonly string[]).includes(member));
    for (const member of signal === null ? up : []) {
      expect(await this.keysOf(folderVault(this.share(member)))).toEqual(expect.arrayContaining(before));
    }
  }

  /** Once the first object of what is new is on its way, or a while after. */
  async #kill(child: ReturnType<typeof spawn>, objects: number): Promise<void> {
    const there = folderVault(this.share('bank-a'));
    const begun = (await this.keysOf(there)).length;
    const some = begun + this.#random.below(Math.max(1, objects - begun));
    const look = async () => child.exitCode !== null || (await this.keysOf(there)).length > some || undefined;
    await soon(look, 60_000, 'a delivery that begins or ends');
    await sleep(this.#random.below(10));
    if (child.exitCode === null && child.kill('SIGKILL')) this.killed += 1;
  }

  /** Whoever was refused or has lost its folder is registered anew; then all have all of it, and nothing is left to do. */
  async heal(): Promise<void> {
    const later = new Run(this.cwd, this.#random, 3);
    for (const { value } of (await readMembers(this.#vault)).members) {
      if (value.state === 'suspended' || value.state === 'invited' || (await this.#lost(value.member)))
        await this.join(value.member);
    }
    for (let turn = 0; turn < 2; turn++) await later.deliver();
    const all = await this.keysOf(this.#vault);
    for (const member of [JOINER, ...MEMBERS]) {
      expect({ member, keys: await this.keysOf(folderVault(this.share(member))) }).toEqual({ member, keys: all });
      await this.prove(member);
    }
  }

  async #lost(member: string): Promise<boolean> {
    return (await folderVault(this.share(member)).stat('canary.txt')) === undefined;
  }

  async deliver(): Promise<void> {
    const members = (await readMembers(this.#vault)).members.map(({ value }) => value);
    const ports = { ...this.#registry, signer: world.keys.signer, signal: AbortSignal.any([]) };
    const ends = await deliver(ports, members);
    expect(ends.map(({ outcome, fault }) => ({ outcome, fault }))).toEqual(ends.map(() => ({ outcome: 'whole' })));
  }
}

describe('delivery into folders, by a program that is killed', () => {
  test(`brings everybody everything, and is proved at every moment, in ${seeds.length} seeded runs`, async () => {
    let killed = 0;
    for (const seed of seeds) {
      const random = numbers(seed);
      const cwd = await mkdtemp(join(tmpdir(), 'ledgerhold-deliver-'));
      await writeFile(join(cwd, 'ledgerhold.yaml'), CONFIG);
      await writeFile(join(cwd, 'signing-key.pem'), world.keys.privateKey, { mode: 0o600 });
      const run = new Run(cwd, random);
      try {
        await run.grow();
        for (const member of MEMBERS) await run.join(member);
        await run.step(() => (random.chance(0.5) ? run.grow() : Promise.resolve()));
        await run.step(() => run.join(JOINER));
        await run.grow();
        await run.heal();
        killed += run.killed;
      } catch (error) {
        throw new Error(`SEED=${seed}`, { cause: error });
      } finally {
        await rm(cwd, { recursive: true, force: true });
      }
    }
    console.info(`${seeds.length} runs, ${killed} deliveries killed`);
    if (ONLY === undefined) expect(killed).toBeGreaterThan(RUNS / 5);
  }, 1_200_000);
});
