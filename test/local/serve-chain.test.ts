import { afterEach, describe, expect, test } from '@jest/globals';
import { type ChainSettings, dueSlot, everySecondsOf } from '../../core/chain-settings.ts';
import { NetworkName } from '../../core/names.ts';
import { schedule } from '../../core/schedule.ts';
import { alarmBoard, type Notice } from '../../local/alarm-board.ts';
import type { ServedNode } from '../../local/expectation.ts';
import { type ServePorts, serve, serveOnce } from '../../local/serve.ts';
import { currentSettings, setChain } from '../../vault/settings.ts';
import { FakeTime } from '../fakes/fake-time.ts';
import { MemoryVault } from '../fakes/memory-vault.ts';

/** A server of one chain, and the operator who sets it meanwhile. */
function chainServer(start: string, initial: ChainSettings) {
  const [time, vault] = [new FakeTime(start), new MemoryVault()];
  const runs: string[] = [];
  const notices: Notice[] = [];
  const pings: string[] = [];
  const lines: string[] = [];
  const sealed = new Map<string, Date>();
  const node: ServedNode = {
    name: 'consortium',
    schedule: schedule(everySecondsOf(initial), 'UTC'),
    expect: async (now) => {
      const settings = await currentSettings(vault, 'consortium', initial);
      const since = settings.since === null ? undefined : new Date(settings.since);
      const every = schedule(everySecondsOf(settings), 'UTC');
      return { enabled: settings.enabled, schedule: every, slot: dueSlot(settings, 'UTC', now), since };
    },
  };
  const tell = async (notice: Notice) => void notices.push(notice);
  const ports: ServePorts = {
    steps: {
      isSealed: async (_, slot) => sealed.has(slot),
      retain: async () => ({ done: [], damaged: [] }),
      backup: async (_, slot) => {
        runs.push(`${time.now().toISOString().slice(5, 16)} for ${slot.slice(5, 16)}`);
        sealed.set(slot, time.now());
        return { outcome: 'sealed', set: 'consortium/1', verdict: 'proven' };
      },
    },
    alarms: alarmBoard({ network: 'acme', clock: time, channels: [{ name: 'test', tell }], warn: () => {} }),
    ...{ clock: time, pause: time.pause, log: (line: string) => void lines.push(line) },
    provenSince: async (_, since) => [...sealed.values()].find((at) => at >= since),
    ping: async () => void pings.push(time.now().toISOString()),
  };
  const set = (change: Parameters<typeof setChain>[3]) =>
    setChain({ vault, clock: time, network: NetworkName.parse('acme'), by: 'ann' }, 'consortium', initial, change);
  return { time, vault, node, ports, runs, notices, pings, lines, set };
}

const started = new Set<AbortController>();
afterEach(() => {
  for (const each of started) each.abort(new Error('over'));
  started.clear();
});
const served = ({ node, ports }: ReturnType<typeof chainServer>) => {
  const end = new AbortController();
  started.add(end);
  void serve([node], ports, end.signal).catch(() => {});
};

describe('serving a chain', () => {
  test('follows what is set from the next slot on, without a restart', async () => {
    const world = chainServer('2026-11-21T01:00Z', { enabled: false, timesADay: 4 });
    served(world);
    await world.time.pass('2026-11-21T07:00Z');
    expect(world.runs).toEqual([]);
    await world.set({ enabled: true });
    await world.time.pass('2026-11-21T12:01Z');
    expect(world.runs).toEqual(['11-21T12:00 for 11-21T12:00']);
    // Meanwhile it waits for 18:00.
    await world.set({ timesADay: 3 });
    await world.time.pass('2026-11-21T16:01Z');
    await world.set({ timesADay: 1 });
    await world.time.pass('2026-11-22T01:00Z');
    await world.set({ enabled: false });
    await world.time.pass('2026-11-24T01:00Z');
    expect(world.runs.slice(1)).toEqual(['11-21T16:00 for 11-21T16:00', '11-22T00:00 for 11-22T00:00']);
    expect(world.notices).toEqual([]);
    expect(world.pings).toHaveLength(3);
  });

  test('once leaves out a chain of which nothing is due', async () => {
    const world = chainServer('2026-11-21T07:00Z', { enabled: false, timesADay: 4 });
    const once = () => serveOnce([world.node], world.ports, AbortSignal.any([]));
    expect(await once()).toEqual([]);
    await world.set({ enabled: true });
    expect(await once()).toEqual([]);
    await world.time.pass('2026-11-21T12:10Z');
    expect(await once()).toMatchObject([{ node: 'consortium', slot: '2026-11-21T12:00:00Z' }]);
  });

  test('whose settings cannot be read starts nothing, and its age is told', async () => {
    const world = chainServer('2026-11-21T01:00Z', { enabled: true, timesADay: 4 });
    world.vault.objects.set('settings/consortium/00000001.json', Buffer.from('{}'));
    served(world);
    await world.time.pass('2026-11-21T12:00Z');
    expect(world.runs).toEqual([]);
    expect(world.lines.join('\n')).toContain('its settings cannot be read');
    expect(world.notices.map(({ alarm }) => alarm)).toEqual(['RPO_EXCEEDED']);
  });
});
