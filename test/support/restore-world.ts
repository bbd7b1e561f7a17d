import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deploymentSteps } from '../../core/deployments.ts';
import { Instant } from '../../core/names.ts';
import { planRestore, type RestorePlan } from '../../core/restore-plan.ts';
import type { Vault } from '../../core/vault.ts';
import { demoConfig, SECRET_VARIABLE } from '../../demo/config.ts';
import { ageDecryption, ageEncryption, ageIdentity } from '../../io/age.ts';
import { sha256 } from '../../io/digest.ts';
import type { PostgresSource } from '../../io/postgres/connection.ts';
import { folderVault } from '../../local/folder-vault.ts';
import type { ApplyOptions } from '../../local/restore-apply.ts';
import { serverName } from '../../local/restore-places.ts';
import { protocolNamed } from '../../protocols/registry.ts';
import { splice } from '../../protocols/splice/splice.ts';
import { proveOne } from '../../vault/sound-set.ts';
import { connectTo, type DemoNetwork, demoNetwork } from './demo-network.ts';
import { backupInProcess } from './splice-backups.ts';
import { type Keys, newKeys } from './toy-sets.ts';

/** One set of a toy validator, in a folder, and databases to restore it over. */
export interface RestoreWorld {
  readonly folder: string;
  readonly network: DemoNetwork;
  readonly vault: Vault;
  readonly keys: Keys;
  readonly identity: string;
  /** Takes one more set; resolves to its number. */
  backup(slot: string): Promise<void>;
  /** Copies of both databases, as they were at the set, under names of their own; and a plan that is to replace them. */
  target(name: string): Promise<{ plan: RestorePlan; options: ApplyOptions }>;
  /** Every database of the server whose name starts so. */
  databases(prefix: string): Promise<string[]>;
  stop(): Promise<void>;
}

export async function restoreWorld(): Promise<RestoreWorld> {
  const folder = await mkdtemp(join(tmpdir(), 'ledgerhold-test-'));
  const network = await demoNetwork();
  const vault = folderVault(join(folder, 'vault'));
  const [keys, { identity, recipient }] = [newKeys(), await ageIdentity()];
  await writeFile(join(folder, 'public-key.pem'), keys.publicKey);
  await writeFile(join(folder, 'identity.txt'), identity);
  const env = {
    [SECRET_VARIABLE]: network.client.clientSecret,
    LEDGERHOLD_DEMO_APP_URL: network.appUrl,
    LEDGERHOLD_DEMO_PARTICIPANT_URL: network.participantUrl,
  };
  const world = { yaml: demoConfig(network, recipient), env, vault, keys, encryption: ageEncryption([recipient]) };
  const backup = async (slot: string) => void (await backupInProcess(world, slot));
  await backup('first');
  const admin = await connectTo(network.server.url('postgres'));
  return {
    ...{ folder, network, vault, keys, identity, backup },
    target: async (name) => {
      for (const database of ['app', 'participant']) await admin.query(`CREATE DATABASE ${name}_${database}`);
      const source = (component: string): PostgresSource => ({
        url: network.server.url(component === 'participant' ? `${name}_participant` : `${name}_app`),
      });
      const prove = { vault, publicKeys: [keys.publicKey], protocolNamed };
      const { manifest, proof } = await proveOne('validator-1', 1, prove);
      const target = (component: string) => ({
        server: serverName(source(component)),
        database: `${name}_${component === 'participant' ? 'participant' : 'app'}`,
      });
      const plan = planRestore({
        createdAt: Instant.parse(new Date().toISOString()),
        ...{ vault: vault.url, manifest, accepted: [], deployment: deploymentSteps(undefined), protocol: splice },
        artifacts: Object.fromEntries(proof.artifacts.map(({ component, artifact }) => [component, artifact])),
        targets: {
          identities: { how: 'for re-onboarding' },
          'validator-app': target('validator-app'),
          participant: target('participant'),
        },
        digest: sha256,
      });
      const options: ApplyOptions = {
        ...prove,
        ...{ environment: process.env, decrypt: ageDecryption(identity), source, clock: { now: () => new Date() } },
        fencedBy: 'a test',
      };
      return { plan, options };
    },
    databases: async (prefix) => {
      const { rows } = await admin.query<{ datname: string }>(
        'SELECT datname FROM pg_database WHERE starts_with(datname, $1) ORDER BY datname',
        [prefix],
      );
      return rows.map(({ datname }) => datname);
    },
    stop: async () => {
      await admin.end();
      await network.stop();
      await rm(folder, { recursive: true });
    },
  };
}
