import { beforeEach, describe, expect, test } from '@jest/globals';
import { type Evidence, judge } from '../../core/positions.ts';
import { run as finishCapture } from '../../lambdas/finish-capture/run.ts';
import { run as planWaves } from '../../lambdas/plan-waves/run.ts';
import { run as startCapture } from '../../lambdas/start-capture/run.ts';
import { verify } from '../../vault/verify.ts';
import { proveDeep } from '../../vault/verify-deep.ts';
import { MemoryVault } from '../fakes/memory-vault.ts';
import { snapshotCaptures } from '../support/snapshot-sets.ts';
import { newKeys, reading, toyProtocol, toyRun, toySteps } from '../support/toy-sets.ts';

const keys = newKeys();
const now = () => new Date('2026-11-01T00:00:00Z');
const REFERENCE = 'sets/toy-1/runs/slot/1/app.snapshot.json';
let vault: MemoryVault;

/** A set whose components lie in snapshots; `told` is what the end of a capture takes for its handle. */
async function sealed(told = (handle: string) => handle) {
  const run = toyRun('slot', { reason: 'manual' });
  const steps = toySteps({ vault, keys, now }, run);
  const captures = snapshotCaptures(vault, { ledger: 'cluster' }, now);
  const ports = {
    ...steps.ports,
    captures: { ...captures, finish: (handle: string) => captures.finish(told(handle)) },
  };
  const { fence } = await steps.claim();
  for (const ticket of (await planWaves({ run, fence }, ports)).waves.flat()) {
    const { handle } = await startCapture({ ticket, components: run.components }, ports);
    await finishCapture({ ticket, handle }, ports);
  }
  await steps.seal();
}

beforeEach(async () => {
  vault = new MemoryVault();
  await sealed();
});

const proved = (deep: boolean) => {
  const options = { vault, publicKeys: [keys.publicKey], protocolNamed: () => toyProtocol };
  return verify({
    ...{ ...options, depth: 'bytes' },
    ...(deep && { deep: (proof, manifest) => proveDeep(proof, manifest, options) }),
  });
};

describe.each([
  ['verify', false],
  ['verify --deep', true],
] as const)('%s of a set of snapshots', (_, deep) => {
  test('proves it from the vault alone, and tells what was not looked at', async () => {
    const { status, sets } = await proved(deep);
    expect({ status, comparisons: sets[0]?.comparisons }).toEqual({ status: 'proven', comparisons: [] });
    expect(sets[0]?.findings.map(({ level, code, about }) => ({ level, code, about }))).toEqual([
      { level: 'note', code: 'POSITIONS_IN_SNAPSHOT', about: 'app' },
      { level: 'note', code: 'POSITIONS_IN_SNAPSHOT', about: 'ledger' },
    ]);
  });

  test('finds any change to a reference', async () => {
    const whole = vault.objects.get(REFERENCE) ?? Buffer.of();
    for (const at of [0, Math.floor(whole.length / 2), whole.length - 1]) {
      vault.objects.set(
        REFERENCE,
        whole.map((byte, n) => (n === at ? byte ^ 1 : byte)),
      );
      expect((await proved(deep)).status).toBe('violated');
    }
    vault.objects.delete(REFERENCE);
    expect((await proved(deep)).status).toBe('violated');
  });

  test('refuses a reference that was sealed and is about another capture', async () => {
    vault = new MemoryVault();
    await sealed((handle) => JSON.stringify({ ...JSON.parse(handle), slot: 'another' }));
    const { status, sets } = await proved(deep);
    expect(status).toBe('violated');
    expect(sets[0]?.findings.map(({ code }) => code)).toContain('REFERENCE_FOREIGN');
  });
});

describe('the verdict', () => {
  const law = toyProtocol.laws[0];
  if (law === undefined) throw new Error('the toy has a law');
  const second = { ...law, id: 'wallet-behind-ledger', lower: { role: 'wallet', counter: 'seen' } };
  const dump = (component: string, counter: string, value: number) => ({
    ...{ component, role: component, reading: reading(component, counter, value) },
  });
  const snapshot = (component: string) => ({ component, role: component, inSnapshot: true });
  const verdict = (
    readings: Evidence['readings'],
    order: Evidence['order'] = [
      ['app', 'ledger'],
      ['wallet', 'ledger'],
    ],
  ) => judge({ laws: [law, second], sameIdentity: [], readings, order }).status;

  test('of a law that binds a snapshot follows from the order, and is unknown without it', () => {
    for (const readings of [
      [snapshot('app'), snapshot('ledger')],
      [dump('app', 'seen', 9), snapshot('ledger')],
      [snapshot('app'), dump('ledger', 'end', 1)],
      [dump('app', 'seen', 9), dump('wallet', 'seen', 9), snapshot('ledger')],
    ]) {
      expect(verdict(readings)).toBe('proven');
      expect(verdict(readings, [['ledger', 'app']])).toBe('unknown');
    }
  });

  test('of two dumps is made of what they say, also beside a snapshot', () => {
    expect(verdict([dump('app', 'seen', 9), snapshot('wallet'), dump('ledger', 'end', 8)])).toBe('violated');
    expect(verdict([dump('app', 'seen', 8), snapshot('wallet'), dump('ledger', 'end', 8)])).toBe('proven');
    const unread = { component: 'app', role: 'app', reading: { status: 'unknown', reason: 'a schema' } as const };
    expect(verdict([unread, snapshot('ledger')])).toBe('unknown');
    expect(verdict([{ component: 'app', role: 'app' }, snapshot('ledger')])).toBe('unknown');
    // Without the counter nothing of it was compared with the dump, whatever lies in a snapshot beside.
    const other = { ...snapshot('other'), role: 'ledger' };
    const order = [
      ['app', 'ledger'],
      ['app', 'other'],
    ] as const;
    expect(verdict([dump('app', 'none', 1), dump('ledger', 'end', 1), other], order)).toBe('unknown');
  });
});
