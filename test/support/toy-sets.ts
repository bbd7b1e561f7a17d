import { generateKeyPairSync, sign } from 'node:crypto';
import { Fence, Instant, type Sha256 } from '../../core/names.ts';
import type { CaptureOrder, Captures, Signer } from '../../core/ports.ts';
import type { Law, Reading } from '../../core/positions.ts';
import { Captured } from '../../core/receipts.ts';
import { asRun, Run } from '../../core/run.ts';
import type { Vault } from '../../core/vault.ts';
import { sha256 } from '../../io/digest.ts';
import { fingerprintOf } from '../../io/signatures.ts';
import { run as claimSlot } from '../../lambdas/claim-slot/run.ts';
import { run as finishCapture } from '../../lambdas/finish-capture/run.ts';
import { run as planWaves } from '../../lambdas/plan-waves/run.ts';
import { run as pollCapture } from '../../lambdas/poll-capture/run.ts';
import { run as sealManifest } from '../../lambdas/seal-manifest/run.ts';
import { run as startCapture } from '../../lambdas/start-capture/run.ts';
import type { Protocol } from '../../protocols/protocol.ts';

const law: Law = {
  id: 'app-behind-ledger',
  lower: { role: 'app', counter: 'seen' },
  upper: { role: 'ledger', counter: 'end' },
  broken: 'the app would know of what the ledger has forgotten',
};

/** The smallest protocol with an order and a law: `app` before `ledger`; what the app has seen the ledger has. */
export const toyProtocol: Protocol = {
  name: 'toy',
  title: 'Toy',
  roles: {
    app: { kind: 'database', holds: 'what the app has seen', required: true },
    ledger: { kind: 'database', holds: 'the ledger', required: true },
  },
  order: [['app', 'ledger']],
  orderReason: 'the ledger must have all that the app has seen',
  laws: [law],
  sameIdentity: [],
  positions: { queries: [], read: () => ({ status: 'unknown', reason: 'a toy' }) },
  restore: { maxAgeDays: 30, maxAgeReason: 'stated', loses: [], after: [] },
  everyHours: 4,
};

export interface Keys {
  readonly signer: Signer;
  readonly publicKey: string;
  /** PKCS #8, PEM. */
  readonly privateKey: string;
}

export function newKeys(): Keys {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
  const fingerprint = fingerprintOf(pem);
  return {
    publicKey: pem,
    privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    signer: {
      fingerprint: async () => fingerprint,
      publicKeyPem: async () => pem,
      sign: async (bytes) => sign('sha256', bytes, privateKey),
    },
  };
}

export const reading = (role: string, counter: string, value: number): Reading => ({
  status: 'known',
  role,
  identity: null,
  counters: [{ name: counter, value: String(value), unit: 'offset', source: 'toy' }],
});

/** Captures that store a few bytes and attest the given readings, by component. */
export function toyCaptures(vault: Vault, readings: Readonly<Record<string, Reading>>, now: () => Date): Captures {
  return {
    source: ({ component }) => ({ kind: 'toy', at: `toy://${component}` }),
    start: async (order: CaptureOrder) => JSON.stringify(order),
    poll: async () => ({ ended: true, progress: { bytes: 0 } }),
    attest: async () => {},
    finish: async (handle) => {
      const order = JSON.parse(handle) as CaptureOrder;
      const body = Buffer.from(`state of ${order.component} at ${order.slot}`);
      const key = `${order.prefix}${order.component}.bin`;
      await vault.putOnce(key, body);
      const digest: Sha256 = sha256(body);
      const at = Instant.parse(now().toISOString());
      const artifact = {
        key,
        size: body.length,
        sha256: digest,
        content: 'toy',
        encodings: [],
        plain: { size: body.length, sha256: digest },
      };
      const attested = readings[order.component];
      const base = { startedAt: at, endedAt: at, artifacts: [artifact], versions: {}, notes: {} };
      return Captured.parse(attested === undefined ? base : { ...base, reading: attested });
    },
  };
}

export const toyRun = (slot: string, changes: Partial<Run> = {}): Run =>
  asRun(
    Run.parse({
      network: 'toy-net',
      node: 'toy-1',
      protocol: 'toy',
      components: [
        { component: 'app', role: 'app' },
        { component: 'ledger', role: 'ledger' },
      ],
      slot,
      // A schedule's slot is a time; an id is given by a person.
      reason: slot.includes('T') ? 'schedule' : 'manual',
      pollSeconds: 0,
      maxSpreadSeconds: 3600,
      ...changes,
    }),
  );

export interface ToyWorld {
  readonly vault: Vault;
  readonly keys: Keys;
  readonly protocol?: Protocol;
  readonly now?: () => Date;
  readonly holderGone?: (holder: string) => boolean;
}

export const healthy: Readonly<Record<'app' | 'ledger', Reading>> = {
  app: reading('app', 'seen', 5),
  ledger: reading('ledger', 'end', 7),
};

/** The steps of one run, one after the other, as the workflow takes them. */
export function toySteps(world: ToyWorld, run: Run, readings: Readonly<Record<string, Reading>> = healthy) {
  const now = world.now ?? (() => new Date('2026-11-01T00:00:00Z'));
  const ports = {
    vault: world.vault,
    clock: { now },
    signer: world.keys.signer,
    holderGone: world.holderGone ?? (() => false),
    protocolNamed: () => world.protocol ?? toyProtocol,
    captures: toyCaptures(world.vault, readings, now),
  };
  return {
    ports,
    claim: (holder: string = run.slot) => claimSlot({ run, holder }, ports),
    capture: async (fence = 1) => {
      const { waves } = await planWaves({ run, fence: Fence.parse(fence) }, ports);
      for (const ticket of waves.flat()) {
        const { handle } = await startCapture({ ticket, components: run.components }, ports);
        await pollCapture({ ticket, handle }, ports);
        await finishCapture({ ticket, handle }, ports);
      }
    },
    seal: (fence = 1) => sealManifest({ run, fence: Fence.parse(fence) }, ports),
  };
}

/** One whole run. */
export async function backupToy(world: ToyWorld, slot: string, changes: Partial<Run> = {}, readings = healthy) {
  const steps = toySteps(world, toyRun(slot, changes), readings);
  const claimed = await steps.claim();
  if (claimed.outcome !== 'taken') return claimed;
  await steps.capture(claimed.fence);
  return steps.seal(claimed.fence);
}
