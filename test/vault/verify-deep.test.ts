import { describe, expect, test } from '@jest/globals';
import type { Reading, Verdict } from '../../core/positions.ts';
import type { Protocol } from '../../protocols/protocol.ts';
import { protocolNamed as registered } from '../../protocols/registry.ts';
import { proveSet } from '../../vault/prove-set.ts';
import { readManifest } from '../../vault/sets.ts';
import { verify } from '../../vault/verify.ts';
import { proveDeep } from '../../vault/verify-deep.ts';
import { MemoryVault } from '../fakes/memory-vault.ts';
import { backupToy, healthy, newKeys, toyProtocol } from '../support/toy-sets.ts';

const keys = newKeys();
const ARTIFACT = 'sets/toy-1/runs/slot/1/app.bin';

async function oneSet(readings: Readonly<Record<'app' | 'ledger', Reading>> = healthy) {
  const vault = new MemoryVault();
  await backupToy({ vault, keys }, 'slot', {}, readings);
  return vault;
}

function proveWith(vault: MemoryVault, protocolNamed: (name: string) => Protocol) {
  const options = { vault, publicKeys: [keys.publicKey], protocolNamed };
  return verify({ ...options, depth: 'bytes', deep: (proof, manifest) => proveDeep(proof, manifest, options) });
}

function damage(vault: MemoryVault) {
  vault.objects.set(
    ARTIFACT,
    (vault.objects.get(ARTIFACT) ?? new Uint8Array()).map((byte) => byte ^ 1),
  );
}

/** Reads the toy's artifacts as what their receipts attest. */
const knowing: Protocol = {
  ...toyProtocol,
  contents: { toy: (bytes) => (Buffer.from(bytes).includes('app') ? healthy.app : healthy.ledger) },
};

describe('verify --deep', () => {
  test.each([
    ['a protocol that is not known here', registered],
    ['contents that cannot be read here', () => toyProtocol],
  ])('of %s proves the bytes at least', async (_, protocolNamed) => {
    const vault = await oneSet();
    const whole = await proveWith(vault, protocolNamed);
    expect(whole.status).toBe('unknown');
    expect(whole.sets[0]?.bytes).toBeGreaterThan(0);
    damage(vault);
    expect((await proveWith(vault, protocolNamed)).status).toBe('violated');
  });

  test('reads again without touching what is stored', async () => {
    const vault = await oneSet();
    expect((await proveWith(vault, () => knowing)).status).toBe('proven');
    expect((await proveWith(vault, () => knowing)).status).toBe('proven');
  });

  test('of a set that could not be read when it was taken, and can be now, stays unknown', async () => {
    const vault = await oneSet({ ...healthy, app: { status: 'unknown', reason: 'a schema of the time' } });
    expect((await proveWith(vault, () => knowing)).status).toBe('unknown');
  });
});

describe('the verdict that a manifest states', () => {
  test('may be in other words than ours, and may not be another', async () => {
    const vault = await oneSet({ ...healthy, app: { status: 'unknown', reason: 'a schema of the time' } });
    const manifest = await readManifest(vault, 'toy-1', 1);
    if (manifest?.value.verdict.status !== 'unknown') throw new Error('the toy is unknown');
    const codes = async (verdict: Verdict) => {
      const { findings } = await proveSet(
        vault,
        { ...manifest, value: { ...manifest.value, verdict } },
        () => toyProtocol,
      );
      return findings.map(({ code }) => code);
    };
    const { comparisons } = manifest.value.verdict;
    const other = await codes({ status: 'unknown', comparisons, reasons: ['words of another version'] });
    expect(other).toContain('POSITIONS_UNKNOWN');
    expect(other).not.toContain('VERDICT_WRONG');
    expect(await codes({ status: 'proven', comparisons })).toContain('VERDICT_WRONG');
  });
});
