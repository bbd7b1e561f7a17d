import { afterEach, describe, expect, test } from '@jest/globals';
import { schedule } from '../../core/schedule.ts';
import { alarmBoard, type Notice } from '../../local/alarm-board.ts';
import { type ServePorts, serve, serveOnce } from '../../local/serve.ts';
import type { RunEnd, SlotSteps } from '../../local/slot-work.ts';
import { isSealed, newestProven } from '../../vault/newest.ts';
import { readSets } from '../../vault/sets.ts';
import { trustFrom } from '../../vault/trust.ts';
import { FakeTime } from '../fakes/fake-time.ts';
import { MemoryVault } from '../fakes/memory-vault.ts';
import { newKeys, toyRun, toySteps } from '../support/toy-sets.ts';

const HOUR = 3600;
const node = (name: string, hours = 4) => ({ name, schedule: schedule(hours * HOUR, 'UTC') });
const sealed = (set: string): RunEnd => ({ outcome: 'sealed', set, verdict: 'proven' });

/** A server over steps that succeed, unless a test gives others. All that it does is written down with its time. */
function server(start: string, given: Partial<SlotSteps> = {}, more: Partial<ServePorts> = {}) {
  const time = new FakeTime(start);
  const done: string[] = [];
  const notices: Notice[] = [];
  const mark = (what: string) => done.push(`${time.now().toISOString().slice(5, 16)} ${what}`);
  const sealedSlots = new Map<string, Date>();
  const steps: SlotSteps = {
    isSealed: async (name, slot) => sealedSlots.has(`${name} ${slot}`),
    retain: async (name) => {
      mark(`${name} retained`);
      return { done: [], damaged: [] };
    },
    copy: async () => {
      mark('copied');
      return [];
    },
    ...given,
    backup: async (name, slot, signal) => {
      mark(`${name} ${slot.slice(5, 16)}`);
      const end = (await given.backup?.(name, slot, signal)) ?? sealed(`${name}/1`);
      if (end.outcome === 'sealed') sealedSlots.set(`${name} ${slot}`, time.now());
      return end;
    },
  };
  const tell = async (notice: Notice) => void notices.push(notice);
  const alarms = alarmBoard({ network: 'net', clock: time, channels: [{ name: 'test', tell }], warn: () => {} });
  const ports: ServePorts = {
    ...{ steps, alarms, clock: time, pause: time.pause, log: () => {} },
    provenSince: async (name, since) =>
      [...sealedSlots].find(([key, at]) => key.startsWith(`${name} `) && at >= since)?.[1],
    ping: async () => void mark('ping'),
    ...more,
  };
  const runs = () => done.filter((line) => /\d\d:\d\d .* \d\d-\d\dT/.test(line));
  const told = () => notices.map(({ alarm, state, at }) => `${at.slice(5, 16)} ${alarm} ${state}`);
  return { time, steps, ports, alarms, done, notices, runs, told };
}

const abort = new Set<AbortController>();
afterEach(() => {
  for (const controller of abort) controller.abort(new Error('over'));
  abort.clear();
});

function start(nodes: ReturnType<typeof node>[], ports: ServePorts) {
  const controller = new AbortController();
  abort.add(controller);
  const over = serve(nodes, ports, controller.signal).catch((error: unknown) => error);
  return { over, end: (reason: Error) => controller.abort(reason) };
}

describe('serving', () => {
  test('runs the newest slot that was missed at once, then each at its time, with retention and the copy after it', async () => {
    const { time, ports, done } = server('2026-11-21T06:30Z');
    start([node('a')], ports);
    await time.pass('2026-11-21T08:01Z');
    expect(done).toEqual([
      '11-21T06:30 a 11-21T04:00',
      '11-21T06:30 a retained',
      '11-21T06:30 copied',
      '11-21T06:30 ping',
      '11-21T08:00 a 11-21T08:00',
      '11-21T08:00 a retained',
      '11-21T08:00 copied',
      '11-21T08:00 ping',
    ]);
  });

  test('does not run a slot again that was sealed before a restart, but does what is left after it', async () => {
    const { time, ports, done, runs } = server('2026-11-21T06:30Z', {
      isSealed: async (_, slot) => slot < '2026-11-21T08',
    });
    start([node('a')], ports);
    await time.pass('2026-11-21T08:01Z');
    expect(runs()).toEqual(['11-21T08:00 a 11-21T08:00']);
    expect(done[0]).toBe('11-21T06:30 a retained');
  });

  test('tries a failed slot again, more and more seldom, until the next one is due; says so once and tells the recovery', async () => {
    let failing = true;
    const backup = async (): Promise<RunEnd> => {
      if (failing) throw new TypeError('the database is down');
      return sealed('a/1');
    };
    const { time, ports, runs, told } = server('2026-11-21T04:00Z', { backup });
    start([node('a')], ports);
    await time.pass('2026-11-21T08:20Z');
    expect(runs().map((line) => `${line.slice(0, 11)} ${line.slice(-5)}`)).toEqual([
      ...[
        '04:00',
        '04:01',
        '04:03',
        '04:07',
        '04:15',
        '04:31',
        '05:01',
        '05:31',
        '06:01',
        '06:31',
        '07:01',
        '07:31',
      ].map((at) => `11-21T${at} 04:00`),
      ...['08:00', '08:01', '08:03', '08:07', '08:15'].map((at) => `11-21T${at} 08:00`),
    ]);
    failing = false;
    await time.pass('2026-11-21T09:00Z');
    expect(told()).toEqual([
      '11-21T04:00 RUN_FAILED raised',
      '11-21T08:00 RUN_FAILED raised',
      '11-21T08:31 RUN_FAILED cleared',
    ]);
  });

  test('of two servers over one vault gives one set for each slot', async () => {
    const vault = new MemoryVault();
    const keys = newKeys();
    const time = new FakeTime('2026-11-21T06:30Z');
    const serverNamed = (holder: string) => {
      const { ports } = server('2026-11-21T06:30Z');
      const backup: SlotSteps['backup'] = async (_, slot) => {
        const steps = toySteps({ vault, keys, now: time.now }, toyRun(slot));
        const { outcome, fence } = await steps.claim(holder);
        if (outcome !== 'taken') return { outcome: outcome === 'sealed' ? 'already' : 'running' };
        await time.pause(120);
        await steps.capture(fence);
        return sealed((await steps.seal(fence)).set);
      };
      const steps = { ...ports.steps, backup, isSealed: (name: string, slot: string) => isSealed(vault, name, slot) };
      return { ...ports, steps, clock: time, pause: time.pause };
    };
    for (const holder of ['one', 'other']) start([node('toy-1', 1)], serverNamed(holder));
    await time.pass('2026-11-21T10:10Z');
    const slots = [];
    for await (const { manifest } of readSets(vault, 'toy-1')) slots.push(manifest.value.slot.slice(11));
    expect(slots).toEqual(['06:00:00Z', '07:00:00Z', '08:00:00Z', '09:00:00Z', '10:00:00Z']);
    const trust = await trustFrom(vault, [keys.publicKey]);
    const since = (instant: string) => newestProven(vault, 'toy-1', trust, new Date(instant));
    expect((await since('2026-11-21T10:00Z'))?.value.slot).toBe('2026-11-21T10:00:00Z');
    expect(await since('2026-11-21T10:05Z')).toBeUndefined();
    expect(await newestProven(vault, 'toy-1', new Map(), new Date(0))).toBeUndefined();
  });

  test('runs a node once at a time, and no more than two nodes side by side', async () => {
    const running = new Set<string>();
    let most = 0;
    const backup = async (name: string): Promise<RunEnd> => {
      expect(running.has(name)).toBe(false);
      most = Math.max(most, running.add(name).size);
      await time.pause(5 * HOUR);
      running.delete(name);
      return sealed(`${name}/1`);
    };
    const { time, ports, runs } = server('2026-11-21T00:00Z', { backup });
    start(
      ['a', 'b', 'c'].map((name) => node(name)),
      ports,
    );
    await time.pass('2026-11-21T12:00Z');
    expect(most).toBe(2);
    // Each ran past a slot, and then took up the newest that was due; each had its turn.
    expect(runs()).toEqual([
      '11-21T00:00 a 11-21T00:00',
      '11-21T00:00 b 11-21T00:00',
      '11-21T05:00 c 11-21T04:00',
      '11-21T05:00 a 11-21T04:00',
      '11-21T10:00 b 11-21T08:00',
      '11-21T10:00 c 11-21T08:00',
    ]);
  });

  test('ends when it is told to: the run is aborted and awaited, and that is no alarm', async () => {
    const ended: string[] = [];
    const backup = async (_: string, __: string, signal: AbortSignal): Promise<RunEnd> => {
      await time.pause(HOUR, signal).catch(() => ended.push('captures aborted'));
      ended.push('lease failed');
      throw new Error('the run was given up');
    };
    const { time, ports, notices } = server('2026-11-21T00:00Z', { backup });
    const { over, end } = start([node('a'), node('b')], ports);
    await time.pass('2026-11-21T00:10Z');
    const reason = new Error('SIGTERM');
    end(reason);
    expect(await over).toBe(reason);
    expect(ended).toEqual(['captures aborted', 'captures aborted', 'lease failed', 'lease failed']);
    expect(notices).toEqual([]);
  });

  test('looks again when somebody else is at a slot, and calls that no failure', async () => {
    let turn = 0;
    const backup = async (): Promise<RunEnd> => (++turn < 3 ? { outcome: 'running' } : { outcome: 'already' });
    const { time, ports, runs, notices } = server('2026-11-21T04:00Z', { backup });
    start([node('a')], ports);
    await time.pass('2026-11-21T04:30Z');
    expect(runs().map((line) => line.slice(6, 11))).toEqual(['04:00', '04:01', '04:02']);
    expect(notices).toEqual([]);
  });

  test('raises RPO_EXCEEDED once when no proven set is young enough, also while a run hangs, and clears it', async () => {
    let hangs = false;
    const backup = async (name: string): Promise<RunEnd> => {
      if (hangs) await time.pause(7 * HOUR);
      return sealed(`${name}/1`);
    };
    const { time, ports, told } = server('2026-11-21T00:00Z', { backup });
    start([node('a')], ports);
    await time.pass('2026-11-21T01:00Z');
    hangs = true;
    await time.pass('2026-11-21T10:00Z');
    expect(told()).toEqual(['11-21T06:05 RPO_EXCEEDED raised']);
    hangs = false;
    await time.pass('2026-11-21T12:00Z');
    expect(told()).toEqual(['11-21T06:05 RPO_EXCEEDED raised', '11-21T11:00 RPO_EXCEEDED cleared']);
  });

  test('does not ping while anything is wrong with any node', async () => {
    const backup = async (name: string): Promise<RunEnd> => {
      if (name === 'b') throw new Error('down');
      return sealed('a/1');
    };
    const { time, ports, done } = server('2026-11-21T00:00Z', { backup });
    start([node('b'), node('a')], ports);
    await time.pass('2026-11-21T20:00Z');
    expect(done.filter((line) => line.endsWith('ping'))).toEqual([]);
  });

  test('pings as often as it is told while all is well, and lives on when nobody answers', async () => {
    const logged: string[] = [];
    const ping = () => Promise.reject(new Error('no answer'));
    const { time, ports } = server(
      '2026-11-21T00:00Z',
      {},
      { ping, pingSeconds: 600, log: (line) => logged.push(line) },
    );
    start([node('a')], ports);
    await time.pass('2026-11-21T01:00Z');
    expect(logged.filter((line) => line.includes('was not pinged: no answer'))).toHaveLength(7);
  });

  test('copies although retention fails, and tries both again without a second run', async () => {
    let failing = true;
    const retain = async () => {
      if (failing) throw new Error('no right to delete');
      return { done: [], damaged: [] };
    };
    const { time, ports, runs, told, done } = server('2026-11-21T00:00Z', { retain });
    start([node('a')], ports);
    await time.pass('2026-11-21T00:02Z');
    failing = false;
    await time.pass('2026-11-21T01:00Z');
    expect(runs()).toHaveLength(1);
    expect(done.filter((line) => line.endsWith('copied'))).toHaveLength(3);
    expect(told()).toEqual(['11-21T00:00 RETENTION_FAILED raised', '11-21T00:03 RETENTION_FAILED cleared']);
  });

  test('raises alarms of their own for what retention finds damaged and for a set that is not proven', async () => {
    const { time, ports, told, done } = server('2026-11-21T00:00Z', {
      backup: async () => ({ outcome: 'sealed', set: 'a/9', verdict: 'unknown' }),
      retain: async () => ({ done: [], damaged: ['a/3: x is missing'] }),
    });
    start([node('a')], ports);
    await time.pass('2026-11-21T04:30Z');
    expect(told()).toEqual(['11-21T00:00 SET_UNPROVEN raised', '11-21T00:00 SET_DAMAGED raised']);
    expect(done.filter((line) => line.endsWith('ping'))).toEqual([]);
  });
});

describe('serving once', () => {
  test('does what is due for every node, tells what failed, and ends', async () => {
    const backup = async (name: string): Promise<RunEnd> => {
      if (name === 'b') throw new Error('down');
      return sealed('a/1');
    };
    const { ports, told } = server('2026-11-21T06:30Z', { backup });
    const ends = await serveOnce([node('a'), node('b')], ports, new AbortController().signal);
    expect(ends).toMatchObject([
      { node: 'a', slot: '2026-11-21T04:00:00Z', end: { state: 'done', run: { outcome: 'sealed' } } },
      { node: 'b', slot: '2026-11-21T04:00:00Z', end: { state: 'failed', errors: [{ message: 'down' }] } },
    ]);
    expect(told()).toEqual(['11-21T06:30 RUN_FAILED raised']);
  });

  test('ends with a bug of one delivery though another is under way', async () => {
    let calls = 0;
    const deliver = async (signal: AbortSignal) => {
      calls += 1;
      if (calls === 1) await time.pause(48 * HOUR, signal);
      else throw new TypeError('a bug');
    };
    const { time, ports } = server('2026-11-21T06:30Z', {}, { deliver });
    const ended = serve([node('a')], ports, AbortSignal.any([])).catch((error: unknown) => error);
    await time.pass('2026-11-21T08:30Z');
    expect(await ended).toEqual(new TypeError('a bug'));
  });

  test('delivers to members at the start, after each run that seals, and every hour, beside the runs and each other', async () => {
    const delivered: string[] = [];
    const deliver = async (signal: AbortSignal) => {
      delivered.push(time.now().toISOString().slice(11, 16));
      // A seal has rung for it.
      if (delivered.length === 2) await time.pause(9000, signal);
    };
    const { time, ports } = server('2026-11-21T06:30Z', {}, { deliver });
    start([node('a')], ports);
    await time.pass('2026-11-21T10:10Z');
    expect(delivered).toEqual(['06:30', '06:30', '07:30', '08:00', '09:00', '10:00']);
  });
});
