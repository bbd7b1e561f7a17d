import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ageDecryption, ageEncryption, ageIdentity } from '../../io/age.ts';
import { startThrowawayPostgres, type ThrowawayPostgres } from '../../io/postgres/server.ts';
import { protocolNamed } from '../../protocols/registry.ts';
import { readSets } from '../../vault/sets.ts';
import { verify } from '../../vault/verify.ts';
import { proveDeep } from '../../vault/verify-deep.ts';
import { MemoryVault } from '../fakes/memory-vault.ts';
import { connectTo } from '../support/demo-network.ts';
import { describeWithPostgres } from '../support/postgres.ts';
import { type BackupWorld, backupInProcess } from '../support/splice-backups.ts';
import { newKeys } from '../support/toy-sets.ts';

const recordings = process.env['LEDGERHOLD_FIXTURES'];
const COMPONENTS = ['participant', 'mediator', 'sequencer'] as const;
const describeWithRecordings =
  recordings === undefined
    ? (name: string, _: () => void) =>
        describe.skip(`${name} (LEDGERHOLD_FIXTURES is not set)`, () => test.todo('is recorded'))
    : describeWithPostgres;

/** A real Canton network's databases, dumped under load: set a in the right order, set b with the sequencer first. */
describeWithRecordings('the databases of a real Canton network', () => {
  const folder = join(recordings ?? '', 'canton');
  const positions = () => JSON.parse(readFileSync(join(folder, 'positions.json'), 'utf8'));
  let server: ThrowawayPostgres;
  let identity = '';
  let world: Omit<BackupWorld, 'yaml' | 'env'>;
  let vault: MemoryVault;

  beforeAll(async () => {
    server = await startThrowawayPostgres();
    const age = await ageIdentity();
    identity = age.identity;
    vault = new MemoryVault();
    world = { vault, keys: newKeys(), encryption: ageEncryption([age.recipient]) };
    const admin = await connectTo(server.url('postgres'));
    for (const set of ['a', 'b']) {
      for (const component of COMPONENTS) {
        await admin.query(`CREATE DATABASE ${set}_${component}`);
        const args = [
          '--no-owner',
          '--no-privileges',
          '-d',
          server.url(`${set}_${component}`),
          join(folder, `${set}-${component}.dump`),
        ];
        await promisify(execFile)(join(server.tools, 'pg_restore'), args);
      }
    }
    await admin.end();
  }, 120_000);

  afterAll(() => server.stop());

  const backup = (set: 'a' | 'b', slot: string) =>
    backupInProcess(
      {
        ...world,
        env: Object.fromEntries(COMPONENTS.map((each) => [each.toUpperCase(), server.url(`${set}_${each}`)])),
        yaml: `
network: recorded
vault: { folder: ./unused }
encryption: none
signing: { keyFile: ./unused.pem }
nodes:
  - name: network-${set}
    protocol: canton
    components:
${COMPONENTS.map((each) => `      ${each}: { postgres: { url: { env: ${each.toUpperCase()} } } }`).join('\n')}
`,
      },
      slot,
    );

  const prove = (sets?: string[]) =>
    verify({
      ...{ vault, publicKeys: [world.keys.publicKey], protocolNamed, depth: 'bytes' as const, ...(sets && { sets }) },
      deep: (proof, manifest) => proveDeep(proof, manifest, { vault, protocolNamed, decrypt: ageDecryption(identity) }),
    });

  test('in the right order are proven, with the positions that were read when they were recorded', async () => {
    const set = (await backup('a', 'ordered')).sealManifest?.set ?? '';
    const report = await prove([set]);
    expect(report.sets).toMatchObject([{ set, status: 'proven', findings: [] }]);
    const { participant, mediator, sequencer, verdict } = positions().a;
    const upper = { component: 'sequencer', value: String(sequencer.watermark_max_ts_us) };
    expect(report.sets[0]?.comparisons).toEqual(
      expect.arrayContaining([
        expect.objectContaining({
          lower: expect.objectContaining({
            component: 'participant',
            value: String(participant.sequenced_events_max_ts_us),
          }),
          upper: expect.objectContaining(upper),
          difference: String(verdict.participant_minus_sequencer_us),
        }),
        expect.objectContaining({
          lower: expect.objectContaining({ component: 'mediator', value: String(mediator.sequenced_events_max_ts_us) }),
          upper: expect.objectContaining(upper),
          difference: String(verdict.mediator_minus_sequencer_us),
        }),
      ]),
    );
  }, 120_000);

  test('with the sequencer first are refused, both timestamps named, though the captures were in order', async () => {
    const refused: Error = await backup('b', 'forked').then(
      () => Promise.reject(new Error('it was sealed')),
      (error: Error) => error,
    );
    expect(refused).toMatchObject({ name: 'OrderViolated', kind: 'violation' });
    expect(refused.message).toContain('2026-11-21T07:26:05.459317Z');
    expect(refused.message).toContain('2026-11-21T07:25:59.889441Z');
    for await (const _ of readSets(vault, 'network-b')) throw new Error('a set appeared');
  }, 120_000);

  test('under a schema that is not known are sealed as unproven, and verify answers unknown', async () => {
    const admin = await connectTo(server.url('a_participant'));
    await admin.query('ALTER TABLE common_sequenced_events RENAME COLUMN ts TO time_stamp');
    try {
      const { sealManifest } = await backup('a', 'altered');
      expect(sealManifest?.verdict).toBe('unknown');
      const report = await prove([sealManifest?.set ?? '']);
      expect(report.sets[0]?.status).toBe('unknown');
    } finally {
      await admin.query('ALTER TABLE common_sequenced_events RENAME COLUMN time_stamp TO ts');
      await admin.end();
    }
  }, 120_000);
});
