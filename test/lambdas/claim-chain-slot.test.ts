import { describe, expect, test } from '@jest/globals';
import { AskedChainRun } from '../../core/chain.ts';
import type { ChainSettings, ChainTick } from '../../core/chain-settings.ts';
import { NetworkName } from '../../core/names.ts';
import { run } from '../../lambdas/claim-chain-slot/run.ts';
import { setChain } from '../../vault/settings.ts';
import { MemoryVault } from '../fakes/memory-vault.ts';

const OFF: ChainSettings = { enabled: false, timesADay: 4 };
const ON: ChainSettings = { enabled: true, timesADay: 4 };

function chainWorld(initial: ChainSettings, timeZone = 'UTC') {
  const vault = new MemoryVault();
  const tick: ChainTick = { ...initial, timeZone };
  const start = (slot: string, reason: 'schedule' | 'manual' = 'schedule') => {
    const asked = AskedChainRun.parse({ network: 'acme', node: 'consortium', protocol: 'ethereum', slot, reason });
    return run(
      { run: asked, holder: `start ${slot}` },
      { vault, clock: { now: () => new Date(slot) }, holderGone: () => false, tick },
    );
  };
  const set = (at: string, change: { readonly enabled?: boolean; readonly timesADay?: 1 | 2 | 3 | 4 }) =>
    setChain(
      { vault, clock: { now: () => new Date(at) }, network: NetworkName.parse('acme'), by: 'ann' },
      'consortium',
      initial,
      change,
    );
  /** The slots that the hours of a UTC day begin. */
  const day = async (date: string) => {
    const slots: string[] = [];
    for (let hour = 0; hour < 24; hour++) {
      const { outcome, run: claimed } = await start(`${date}T${String(hour).padStart(2, '0')}:00:00Z`);
      if (outcome === 'taken') slots.push(claimed.slot.slice(11, 16));
    }
    return slots;
  };
  return { vault, start, set, day };
}

describe('a chain that is started every hour', () => {
  test.each([
    [1, ['00:00']],
    [2, ['00:00', '12:00']],
    [3, ['00:00', '08:00', '16:00']],
    [4, ['00:00', '06:00', '12:00', '18:00']],
  ] as const)(
    'is run %i times a day where the configuration says so, and at no other hour',
    async (timesADay, slots) => {
      expect(await chainWorld({ enabled: true, timesADay }).day('2026-11-24')).toEqual(slots);
    },
  );

  test('is not run before it is switched on, and then from the next slot on', async () => {
    const { vault, start, set, day } = chainWorld(OFF);
    expect(await start('2026-11-24T06:00:00Z')).toMatchObject({ outcome: 'not-due', seq: 0 });
    expect(vault.objects.size).toBe(0);
    await set('2026-11-24T06:30:00Z', { enabled: true });
    expect(await start('2026-11-24T07:00:00Z')).toMatchObject({ outcome: 'not-due' });
    expect(await start('2026-11-24T12:00:00Z')).toMatchObject({
      outcome: 'taken',
      run: { slot: '2026-11-24T12:00:00Z' },
    });
    await set('2026-11-24T12:30:00Z', { timesADay: 2 });
    expect(await day('2026-11-25')).toEqual(['00:00', '12:00']);
    await set('2026-11-26T00:00:00Z', { enabled: false });
    expect(await day('2026-11-26')).toEqual([]);
  });

  test('is run by hand whatever the settings are', async () => {
    const { start } = chainWorld(OFF);
    expect(await start('2026-11-24T07:00:00Z', 'manual')).toMatchObject({ outcome: 'taken' });
  });

  test('is run at the hours of its time zone, and on a day of 25 hours at those that `serve` has, too', async () => {
    expect(await chainWorld(ON, 'Europe/Zurich').day('2026-11-24')).toEqual(['05:00', '11:00', '17:00', '23:00']);
    // Midnight is at 22:00 UTC of the day before; the clocks go back at 01:00 UTC, and six hours stay six hours.
    expect(await chainWorld(ON, 'Europe/Zurich').day('2026-10-25')).toEqual(['04:00', '10:00', '16:00', '23:00']);
  });

  test('whose settings were damaged is not run by guess', async () => {
    const { vault, set, start } = chainWorld(ON);
    await set('2026-11-24T06:30:00Z', { timesADay: 1 });
    vault.objects.set('settings/consortium/00000001.json', Buffer.from('{}'));
    await expect(start('2026-11-25T00:00:00Z')).rejects.toMatchObject({ name: 'NotADocument' });
  });
});
