import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { runOf } from '../../cli/nodes.ts';
import { Fence, Slot } from '../../core/names.ts';
import { Captured } from '../../core/receipts.ts';
import { startOAuthServer } from '../../demo/oauth-server.ts';
import { startValidatorEndpoint } from '../../demo/validator-endpoint.ts';
import { ageDecryption, ageEncryption, ageIdentity } from '../../io/age.ts';
import { run as claimSlot } from '../../lambdas/claim-slot/run.ts';
import { run as finishCapture } from '../../lambdas/finish-capture/run.ts';
import { run as planWaves } from '../../lambdas/plan-waves/run.ts';
import { run as sealManifest } from '../../lambdas/seal-manifest/run.ts';
import { run as startCapture } from '../../lambdas/start-capture/run.ts';
import type { Protocol } from '../../protocols/protocol.ts';
import { protocolNamed } from '../../protocols/registry.ts';
import { splice } from '../../protocols/splice/splice.ts';
import { runPrefix } from '../../vault/layout.ts';
import { verify } from '../../vault/verify.ts';
import { proveDeep } from '../../vault/verify-deep.ts';
import { MemoryVault } from '../fakes/memory-vault.ts';
import { type DemoNetwork, demoNetwork } from '../support/demo-network.ts';
import { describeWithPostgres } from '../support/postgres.ts';
import { type BackupWorld, backupInProcess, capturesFrom } from '../support/splice-backups.ts';
import { newKeys } from '../support/toy-sets.ts';

const ROUNDS = 40;
const SECRET = randomUUID();
const slots = Array.from({ length: ROUNDS }, (_, n) =>
  new Date(Date.UTC(2026, 0, 1, n)).toISOString().replace('.000', ''),
);

describeWithPostgres('forty sets of a validator at work', () => {
  let network: DemoNetwork;
  let stop: (() => Promise<void>)[] = [];
  let yaml = '';
  let identity = '';
  let world: Omit<BackupWorld, 'vault'>;

  beforeAll(async () => {
    network = await demoNetwork({ updatesPerSecond: 400 });
    const oauth = await startOAuthServer({
      ...{ clientId: 'backup', clientSecret: SECRET, audience: 'validator', now: () => new Date() },
    });
    const validator = await startValidatorEndpoint({ participant: network.who, accepts: oauth.accepts });
    stop = [() => validator.stop(), () => oauth.stop(), () => network.stop()];
    const age = await ageIdentity();
    identity = age.identity;
    yaml = `
network: acme
vault: { folder: ./unused }
encryption: { recipients: [${age.recipient}] }
signing: { keyFile: ./unused.pem }
nodes:
  - name: validator-1
    protocol: splice
    identities:
      url: ${validator.url}
      auth: { tokenUrl: ${oauth.tokenUrl}, clientId: backup, clientSecret: { env: SECRET }, audience: validator }
    components:
      validator-app: { postgres: { url: { env: APP } } }
      participant: { postgres: { url: { env: PARTICIPANT } } }
`;
    world = {
      yaml,
      env: { SECRET, APP: network.appUrl, PARTICIPANT: network.participantUrl },
      keys: newKeys(),
      encryption: ageEncryption([age.recipient]),
    };
  }, 60_000);

  afterAll(async () => {
    for (const each of stop) await each();
  });

  /** The app ingests something between one capture and the next. */
  const oneIngestion = async () => network.load.until(network.load.ingested + 1n);

  async function prove(vault: MemoryVault) {
    return verify({
      ...{ vault, publicKeys: [world.keys.publicKey], protocolNamed, depth: 'bytes' as const },
      deep: (proof, manifest) => proveDeep(proof, manifest, { vault, protocolNamed, decrypt: ageDecryption(identity) }),
    });
  }

  test(`${ROUNDS} ordered runs give ${ROUNDS} sets that the deep proof holds for`, async () => {
    const vault = new MemoryVault();
    for (const slot of slots) await backupInProcess({ ...world, vault, before: oneIngestion }, slot);
    const report = await prove(vault);
    expect(report.sets.flatMap(({ findings }) => findings)).toEqual([]);
    expect(report.sets.map(({ status }) => status)).toEqual(slots.map(() => 'proven'));
  }, 300_000);

  test(`${ROUNDS} sets sealed by a protocol with reversed edges are refused, all of them`, async () => {
    const vault = new MemoryVault();
    const reversed: Protocol = { ...splice, order: [['participant', 'validator-app']], laws: [] };
    for (const slot of slots)
      await backupInProcess({ ...world, vault, protocol: reversed, before: oneIngestion }, slot);
    const { sets } = await prove(vault);
    expect(sets.map(({ status }) => status)).toEqual(slots.map(() => 'violated'));
    for (const { findings } of sets) {
      expect(findings.map(({ code }) => code)).toEqual(
        expect.arrayContaining(['ORDER_VIOLATED', 'POSITIONS_VIOLATED']),
      );
    }
  }, 300_000);

  test(`${ROUNDS} reversed captures under forged receipts, and forged positions in them, are refused by what the dumps hold`, async () => {
    const vault = new MemoryVault();
    for (const slot of slots) await forge(vault, slot);
    const believed = await verify({ vault, publicKeys: [world.keys.publicKey], protocolNamed, depth: 'bytes' });
    expect(believed.sets.map(({ status }) => status)).toEqual(slots.map(() => 'proven'));
    const { sets } = await prove(vault);
    expect(sets.map(({ status }) => status)).toEqual(slots.map(() => 'violated'));
    for (const { findings } of sets) {
      const [violated] = findings.filter(({ code }) => code === 'POSITIONS_VIOLATED');
      expect(violated?.text).toMatch(/validator-app.*\d+.*participant.*\d+/s);
    }
  }, 300_000);

  /** Dumps the participant first, then writes receipts as if the app had been first and the participant far ahead. */
  async function forge(vault: MemoryVault, slotText: string): Promise<void> {
    const { loaded, prepared, captures } = await capturesFrom({ ...world, vault });
    const slot = Slot.parse(slotText);
    const fence = Fence.parse(1);
    const run = runOf(loaded, prepared, slot, 'manual');
    const taken = new Map<string, Captured>();
    const ports = {
      ...{ vault, signer: world.keys.signer, clock: { now: () => new Date() }, holderGone: () => false, protocolNamed },
      captures: {
        source: () => ({ kind: 'forged', at: 'forged' }),
        start: async (order: { component: string }) => order.component,
        poll: async () => ({ ended: true, progress: { bytes: 0 } }),
        finish: async (handle: string) => taken.get(handle) ?? Promise.reject(new Error(`no ${handle}`)),
        attest: async () => {},
      },
    };
    // Before anything lies under the attempt: what nobody claimed is taken for another's.
    await claimSlot({ run, holder: slot }, ports);
    for (const component of ['identities', 'participant', 'validator-app']) {
      const ticket = run.components.find((each) => each.component === component);
      if (ticket === undefined) throw new Error(`no ${component}`);
      const order = {
        ...ticket,
        network: run.network,
        node: run.node,
        protocol: 'splice',
        slot,
        fence,
        predecessors: [],
        prefix: runPrefix(run.node, slot, fence),
      };
      const captured = await captures(component).take(order, {
        signal: AbortSignal.timeout(60_000),
        progress: () => {},
      });
      taken.set(component, component === 'participant' ? farAhead(Captured.parse(captured)) : Captured.parse(captured));
      if (component === 'participant') await oneIngestion();
    }
    const { waves } = await planWaves({ run, fence }, ports);
    for (const ticket of waves.flat()) {
      const { handle } = await startCapture({ ticket, components: run.components }, ports);
      await finishCapture({ ticket, handle }, ports);
    }
    await sealManifest({ run, fence }, ports);
  }

  function farAhead(captured: Captured): Captured {
    const { reading } = captured;
    if (reading?.status !== 'known') throw new Error('the participant could not be read');
    const counters = reading.counters.map((each) => ({ ...each, value: String(BigInt(each.value) + 1_000_000n) }));
    return { ...captured, reading: { ...reading, counters } };
  }
});

describe('the forty rounds', () => {
  test('are as many as promised', () => expect(slots).toHaveLength(40));
});
