import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import { CaptureFailed } from '../../core/receipts.ts';
import { backupRuntime } from '../../local/backup-runtime.ts';
import { type LocalCapture, localCaptures, type Watch } from '../../local/captures.ts';
import type { Protocol } from '../../protocols/protocol.ts';
import { latestLease } from '../../vault/leases.ts';
import { manifestSeqs } from '../../vault/sets.ts';
import { MemoryVault } from '../fakes/memory-vault.ts';
import { healthy, newKeys, toyCaptures, toyProtocol, toyRun } from '../support/toy-sets.ts';
import { emitted } from '../support/workflows.ts';

const keys = newKeys();
const now = () => new Date('2026-11-01T00:00:00Z');

/** The real steps over a vault in memory; `during` is what a capture does before it ends. */
function world(
  during: (component: string, watch: Watch) => Promise<void> = async () => {},
  protocol: Protocol = toyProtocol,
) {
  const vault = new MemoryVault();
  const log: string[] = [];
  const toy = toyCaptures(vault, healthy, now);
  const captureOf = (component: string): LocalCapture => ({
    source: { kind: 'toy', at: `toy://${component}` },
    take: async (order, watch) => {
      log.push(`> ${component}`);
      try {
        await during(component, watch);
        return await toy.finish(await toy.start(order));
      } finally {
        log.push(`< ${component}`);
      }
    },
  });
  const ports = {
    ...{ vault, clock: { now }, signer: keys.signer, holderGone: () => false, protocolNamed: () => protocol },
    captures: localCaptures(captureOf, () => {}),
  };
  return {
    vault,
    log,
    runtime: backupRuntime(emitted('backup'), ports, ({ step, kind }) => log.push(`${kind} ${step}`)),
  };
}

const run = toyRun('2026-11-01T00:00:00Z');
const sideBySide: Protocol = { ...toyProtocol, order: [] };
const options = { executionId: 'test-1' };
const manifests = (vault: MemoryVault) => manifestSeqs(vault, run.node);

describe('a backup with the real steps', () => {
  test('ends with a sealed set, and a second one at its slot does nothing', async () => {
    const { vault, log, runtime } = world();
    const state = await runtime.backup(run, options);
    expect(state.sealManifest).toMatchObject({ set: 'toy-1/1', verdict: 'proven' });
    expect(log.indexOf('< app')).toBeLessThan(log.indexOf('> ledger'));
    const again = await runtime.backup(run, { executionId: 'test-2' });
    expect(again.claimSlot).toMatchObject({ outcome: 'sealed', set: 'toy-1/1' });
    expect(again.sealManifest).toBeUndefined();
    expect(await manifests(vault)).toHaveLength(1);
  });

  test('has no capture at work when a failure is told, leaves the reason and no set, and frees the slot', async () => {
    const failure = new CaptureFailed('pg_dump died', 'Look.');
    const { vault, log, runtime } = world(async (component, { signal }) => {
      if (component === 'app') throw failure;
      await sleep(10_000, undefined, { signal });
    }, sideBySide);
    await expect(runtime.backup(run, options)).rejects.toBe(failure);
    expect(log.indexOf('< ledger')).toBeLessThan(log.indexOf('ended failRun'));
    expect(await latestLease(vault, run.node, run.slot)).toMatchObject({
      value: { state: 'failed', error: { name: 'CaptureFailed', message: 'pg_dump died' } },
    });
    expect(await manifests(vault)).toEqual([]);
    const next = world();
    next.vault.objects.clear();
    for (const [key, body] of vault.objects) next.vault.objects.set(key, body);
    expect((await next.runtime.backup(run, { executionId: 'test-2' })).claimSlot).toMatchObject({
      outcome: 'taken',
      fence: 2,
    });
  });

  test('that is interrupted ends its captures at once, tells why, and rejects with the reason', async () => {
    const stop = new AbortController();
    const reason = new Error('Ctrl-C');
    const { vault, log, runtime } = world(async (_, { signal }) => {
      setTimeout(() => stop.abort(reason), 20);
      await sleep(10_000, undefined, { signal });
    });
    await expect(runtime.backup(run, { ...options, signal: stop.signal })).rejects.toBe(reason);
    expect(log.filter((line) => /^[<>]/.test(line))).toEqual(['> app', '< app']);
    expect(await latestLease(vault, run.node, run.slot)).toMatchObject({ value: { state: 'failed' } });
    expect(await manifests(vault)).toEqual([]);
  });
});
