import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { ECSClient } from '@aws-sdk/client-ecs';
import { KMSClient } from '@aws-sdk/client-kms';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { deployedCaptures } from '../../aws/deployed-captures.ts';
import { dumpedInTask } from '../../aws/dump-captures.ts';
import { dumpEnds } from '../../aws/dump-ends.ts';
import { kmsEnvelope, kmsUnwrap, openKmsEnvelope } from '../../aws/kms-envelope.ts';
import { endedCaptures, type LambdaSource, type Store, takenInLambda } from '../../aws/lambda-captures.ts';
import { s3Client } from '../../aws/s3-client.ts';
import { s3Vault } from '../../aws/s3-vault.ts';
import { ORDER_VARIABLE } from '../../core/dump-task.ts';
import { DEFAULT_LOCK } from '../../core/object-lock.ts';
import { Run } from '../../core/run.ts';
import type { Vault } from '../../core/vault.ts';
import { startOAuthServer } from '../../demo/oauth-server.ts';
import { startValidatorEndpoint } from '../../demo/validator-endpoint.ts';
import { guardedHttp } from '../../io/http.ts';
import { outboundTo } from '../../io/http-guard.ts';
import { bundleDumpTask } from '../../lib/bundle-step.ts';
import { backupRuntime } from '../../local/backup-runtime.ts';
import { protocolNamed } from '../../protocols/registry.ts';
import { captureIdentities } from '../../protocols/splice/identities.ts';
import { SETS } from '../../vault/chain.ts';
import { readResult } from '../../vault/dump-records.ts';
import { runPrefix } from '../../vault/layout.ts';
import { claim, endLease, type LeasePorts } from '../../vault/leases.ts';
import { verify } from '../../vault/verify.ts';
import { proveDeep } from '../../vault/verify-deep.ts';
import { fakeEcs } from '../fakes/ecs.ts';
import { type FaultyS3, startFaultyS3 } from '../fakes/faulty-s3.ts';
import { fakeKms } from '../fakes/kms.ts';
import { OWNER } from '../fakes/s3-memory.ts';
import { ServiceFault, serveAwsJson } from '../support/aws-json.ts';
import { type DemoNetwork, demoNetwork } from '../support/demo-network.ts';
import type { Loopback } from '../support/loopback.ts';
import { describeWithPostgres } from '../support/postgres.ts';
import { newKeys } from '../support/toy-sets.ts';
import { emitted } from '../support/workflows.ts';

const VAULT_LOCK = JSON.stringify(DEFAULT_LOCK);
const SECRETS = 'arn:aws:secretsmanager:eu-central-1:111111111111:secret:';
const clock = { now: () => new Date() };
const credentials = { accessKeyId: 'a', secretAccessKey: 'b' };
const region = 'eu-central-1';
const folder = mkdtempSync(join(tmpdir(), 'ledgerhold-dump-task-'));

describeWithPostgres('the program of the dump task', () => {
  let network: DemoNetwork;
  let s3: FaultyS3;
  let aws: Loopback;
  let vault: Vault;
  let ports: LeasePorts;
  let clients: { ecs: ECSClient; kms: KMSClient };
  let secrets: Record<string, string> = {};
  const running: ChildProcess[] = [];
  const ecs = fakeEcs((environment) => launch(environment));

  /** As in the container: the one file, and nothing beside it. */
  function launch(environment: Readonly<Record<string, string>>): ChildProcess {
    const program = spawn(process.execPath, [join(folder, 'index.mjs')], {
      cwd: tmpdir(),
      env: {
        ...{ PATH: process.env['PATH'], AWS_REGION: region, AWS_ACCESS_KEY_ID: 'a', AWS_SECRET_ACCESS_KEY: 'b' },
        ...{ AWS_ENDPOINT_URL_S3: s3.endpoint, AWS_ENDPOINT_URL: aws.origin },
        ...{
          VAULT_BUCKET: 'vault',
          VAULT_PREFIX: 'acme',
          VAULT_ACCOUNT: OWNER,
          VAULT_LOCK,
          ENVELOPE_KEY: 'alias/envelope',
        },
        ...environment,
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    running.push(program);
    return program;
  }

  beforeAll(async () => {
    bundleDumpTask(folder);
    network = await demoNetwork({ updatesPerSecond: 200 });
    s3 = await startFaultyS3();
    const GetSecretValue = ({ SecretId }: { SecretId: string }) => {
      const value = secrets[SecretId.slice(SECRETS.length)];
      if (value === undefined) throw new ServiceFault('ResourceNotFoundException');
      return { SecretString: value };
    };
    aws = await serveAwsJson({ ...ecs.operations, ...fakeKms(), GetSecretValue });
    const client = s3Client({ region, endpoint: s3.endpoint, credentials });
    vault = s3Vault({ client, bucket: 'vault', prefix: 'acme/', account: OWNER });
    ports = { vault, clock, holderGone: () => false };
    const at = { region, endpoint: aws.origin, credentials };
    clients = { ecs: new ECSClient(at), kms: new KMSClient(at) };
    secrets = { app: network.appUrl, participant: network.participantUrl };
  }, 60_000);
  afterEach(() => {
    for (const each of running.splice(0)) each.kill('SIGKILL');
  });
  afterAll(async () => {
    await network.stop();
    await s3.stop();
    await aws[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true });
  });

  const orderAt = (slot: string, changes: object = {}) => ({
    ...{ network: 'acme', node: 'validator-1', slot, fence: 1, component: 'participant', role: 'participant' },
    ...{ protocol: 'splice', source: { urlSecretArn: `${SECRETS}participant` }, heartbeatSeconds: 1, ...changes },
  });
  type Order = ReturnType<typeof orderAt>;
  const resultOf = (order: Order) => readResult(vault, order as never);

  async function claimed(order: Order): Promise<Order> {
    await claim(ports, SETS, 'execution-1', order);
    return order;
  }

  function start(order: Order) {
    const program = launch({ [ORDER_VARIABLE]: JSON.stringify(order) });
    let log = '';
    program.stdout?.on('data', (text) => {
      log += text;
    });
    const ended = once(program, 'exit').then(([code, signal]) => ({ code, signal, log }));
    return { program, ended };
  }

  async function keysOf({ node, slot, fence }: Order): Promise<string[]> {
    const prefix = runPrefix(node, slot, fence);
    const keys: string[] = [];
    for await (const { key } of vault.list(prefix)) keys.push(key.slice(prefix.length));
    return keys;
  }

  async function untilBeating(order: Order, n: number): Promise<void> {
    for (;;) {
      const keys = await keysOf(order);
      if (keys.includes(`tasks/participant/${String(n).padStart(8, '0')}.json`)) return;
      await setTimeout(100);
    }
  }

  /** A dump that would take hours. */
  const slow = { source: { urlSecretArn: `${SECRETS}participant`, bytesPerSecond: 2_000 } };

  test('dumps into the vault, sealed, with positions, and leaves what it captured', async () => {
    const order = await claimed(orderAt('whole'));
    const { code, log } = await start(order).ended;
    expect({ code, log }).toMatchObject({ code: 0 });
    expect(await resultOf(order)).toMatchObject({
      status: 'captured',
      captured: {
        artifacts: [{ content: 'pg_dump-custom', encodings: ['zstd', 'kms-envelope-v1'] }],
        reading: { status: 'known', role: 'participant' },
      },
    });
    expect(await keysOf(order)).toEqual(
      expect.arrayContaining(['participant.dump.zst.sealed', 'tasks/participant/00000001.json']),
    );
    const password = new URL(network.participantUrl).password;
    const everything = [log, ...[...s3.memory.objects.values()].map(({ body }) => body.toString('latin1'))].join();
    if (password !== '') expect(everything).not.toContain(password);
  });

  test('a second task of one attempt leaves the first alone', async () => {
    const order = await claimed(orderAt('twice'));
    const first = start({ ...order, ...slow });
    await untilBeating(order, 1);
    const { code, log } = await start(order).ended;
    expect({ code, log }).toMatchObject({ code: 5, log: expect.stringContaining('DumpTaskRivalled') });
    expect(await resultOf(order)).toBeUndefined();
    expect(first.program.exitCode).toBeNull();
  });

  test('stops when the slot is no longer its own, and leaves neither dump nor result', async () => {
    const order = await claimed(orderAt('stale', slow));
    const { ended } = start(order);
    await untilBeating(order, 2);
    await endLease(ports, order, 'failed', { name: 'CaptureFailed', message: 'another capture failed' });
    const { code, log } = await ended;
    expect({ code, log }).toMatchObject({ code: 5, log: expect.stringContaining('StaleFence') });
    expect((await keysOf(order)).filter((key) => !key.startsWith('tasks/participant/0'))).toEqual([]);
  });

  test('does not even begin where it never was', async () => {
    const order = orderAt('nobody');
    expect(await start(order).ended).toMatchObject({ code: 5 });
    expect(await keysOf(order)).toEqual([]);
  });

  test('ends cleanly when it is asked to, and says so', async () => {
    const order = await claimed(orderAt('asked', slow));
    const { program, ended } = start(order);
    await untilBeating(order, 2);
    program.kill('SIGTERM');
    expect(await ended).toMatchObject({ code: 143, signal: null });
    expect(await resultOf(order)).toMatchObject({ status: 'failed', name: 'Interrupted' });
    expect(await keysOf(order)).not.toContain('participant.dump.zst.sealed');
  });

  test('killed, leaves nothing that could be taken for a dump', async () => {
    const order = await claimed(orderAt('killed', slow));
    const { program, ended } = start(order);
    await untilBeating(order, 2);
    program.kill('SIGKILL');
    expect(await ended).toMatchObject({ signal: 'SIGKILL' });
    expect((await keysOf(order)).filter((key) => !key.startsWith('tasks/participant/0'))).toEqual([]);
  });

  test.each([
    ['a secret that is not there', { source: { urlSecretArn: `${SECRETS}none` } }, 'SecretUnavailable', 4],
    ['a database that is not there', { source: { url: 'postgres://u@127.0.0.1:9/none' } }, 'DatabaseUnavailable', 4],
    ['a database of another role', { source: { urlSecretArn: `${SECRETS}app` } }, 'WrongDatabase', 1],
  ])('tells of %s by name, and ends as the table of exit codes has it', async (what, changes, name, exit) => {
    const order = await claimed(orderAt(what.replaceAll(' ', '-'), changes));
    const { code, log } = await start(order).ended;
    expect({ code, log }).toMatchObject({ code: exit });
    expect(await resultOf(order)).toMatchObject({ status: 'failed', name, remedy: expect.stringMatching(/\w/) });
  });

  test('refuses an environment that is no order', async () => {
    const { code, log } = await start({ ...orderAt('bad'), fence: 0 }).ended;
    expect({ code, log }).toMatchObject({ code: 2, log: expect.stringContaining('DumpOrderUnusable') });
  });

  describe('in the real workflow', () => {
    const keys = newKeys();
    const components = ['identities', 'validator-app', 'participant'].map((component) => ({
      component,
      role: component,
    }));
    const run = (slot: string) =>
      Run.parse({
        ...{ network: 'acme', node: 'validator-1', protocol: 'splice', slot, reason: 'manual', components },
        ...{ pollSeconds: 0, maxSpreadSeconds: 3600 },
      });
    let identities: LambdaSource;
    let stop: (() => Promise<void>)[] = [];

    beforeAll(async () => {
      const clientSecret = randomUUID();
      const client = { clientId: 'backup', clientSecret, audience: 'validator' };
      const oauth = await startOAuthServer({ ...client, now: clock.now });
      const validator = await startValidatorEndpoint({ participant: network.who, accepts: oauth.accepts });
      stop = [() => validator.stop(), () => oauth.stop()];
      const { url } = validator;
      const auth = { ...client, tokenUrl: oauth.tokenUrl, clientSecret: async () => clientSecret };
      const http = guardedHttp(outboundTo([url, oauth.tokenUrl]));
      const take = (store: Store) => captureIdentities({ url, auth }, { http, now: clock.now }, store);
      identities = { kind: 'identities', at: url, take };
    });
    afterAll(async () => {
      for (const each of stop) await each();
    });

    const databases: Readonly<Record<string, string>> = { 'validator-app': 'app', participant: 'participant' };

    function backup(slot: string) {
      const encryption = kmsEnvelope(clients.kms, 'alias/envelope');
      const place = { cluster: 'dumps', taskDefinition: 'dump:1', subnets: ['subnet-1'], securityGroups: ['sg-1'] };
      const captures = deployedCaptures({
        ends: { identities: endedCaptures(), dump: dumpEnds({ vault, ecs: clients.ecs, clock }) },
        sourceOf: (_node, component) => {
          const secret = databases[component];
          if (secret === undefined) return takenInLambda(identities, { vault, encryption });
          const database = { urlSecretArn: `${SECRETS}${secret}` };
          return dumpedInTask({ at: secret, database, place }, { ecs: clients.ecs, clock, heartbeatSeconds: 1 });
        },
      });
      const everything = {
        ...ports,
        signer: keys.signer,
        protocolNamed,
        captures: { ...captures, stop: async () => {} },
      };
      return backupRuntime(emitted('backup'), everything).backup(run(slot), { executionId: `execution-${slot}` });
    }

    test('two tasks and the identities become a set whose order and positions are proven, read again to its end', async () => {
      const before = ecs.tasks().length;
      const state = await backup('set');
      expect(state).toMatchObject({ sealManifest: { verdict: 'proven' } });
      const decrypt = openKmsEnvelope(kmsUnwrap(clients.kms));
      const { sets } = await verify({
        ...{ vault, publicKeys: [keys.publicKey], protocolNamed, depth: 'bytes' as const },
        deep: (proof, manifest) => proveDeep(proof, manifest, { vault, protocolNamed, decrypt }),
      });
      expect(sets).toMatchObject([{ status: 'proven', findings: [] }]);
      expect(sets[0]?.comparisons.length).toBeGreaterThan(0);
      expect(ecs.tasks()).toHaveLength(before + 2);
    }, 120_000);

    test('a task that is killed ends the run by name, without a set', async () => {
      const ended = backup('killed-in-run').then(
        () => undefined,
        (error: unknown) => error,
      );
      while (running.length === 0) await setTimeout(20);
      running[0]?.kill('SIGKILL');
      expect(await ended).toMatchObject({ name: 'DumpTaskStopped', message: expect.stringContaining('exit code 137') });
    }, 120_000);
  });
});
