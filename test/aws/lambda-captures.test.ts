import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ECSClient } from '@aws-sdk/client-ecs';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { captureEnds, type DeployedSource, deployedCaptures } from '../../aws/deployed-captures.ts';
import { endedCaptures, type Store, takenInLambda } from '../../aws/lambda-captures.ts';
import { rdsClient } from '../../aws/rds-client.ts';
import { CaptureSources } from '../../core/capture-sources.ts';
import { KmsUnavailable } from '../../core/kms.ts';
import { ComponentName, Fence, Instant, NetworkName, NodeName, Slot } from '../../core/names.ts';
import type { CaptureOrder, Encryption } from '../../core/ports.ts';
import type { Vault } from '../../core/vault.ts';
import { deployedSource } from '../../lambdas/start-capture/take.ts';
import { folderVault } from '../../local/folder-vault.ts';
import { fakeSecretsManager } from '../fakes/secrets-manager.ts';

let folder: string;
let vault: Vault;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ledgerhold-lambda-captures-'));
  vault = folderVault(folder);
});
afterEach(() => rmSync(folder, { recursive: true }));

const SENTINEL = 'a key that nobody may see';
const at = Instant.parse('2026-01-01T00:00:00.000Z');
const order = (component: string): CaptureOrder => ({
  network: NetworkName.parse('acme'),
  node: NodeName.parse('validator-1'),
  slot: Slot.parse('2026-01-01T00:00:00Z'),
  fence: Fence.parse(1),
  component: ComponentName.parse(component),
  role: component,
  prefix: 'sets/validator-1/runs/2026-01-01T00:00:00Z/1/',
  protocol: 'splice',
  predecessors: [],
});

/** Turns every byte over, and remembers what it was bound to. */
const bound: unknown[] = [];
const encryption: Encryption = {
  encoding: 'kms-envelope-v1',
  filter: (context) => {
    bound.push(context);
    return async function* (source) {
      for await (const bytes of source) yield bytes.map((byte) => ~byte);
    };
  },
};

const take = async (store: Store) => {
  const artifact = await store(Buffer.from(SENTINEL), { content: 'splice-identities-json' });
  return { startedAt: at, endedAt: at, artifacts: [artifact], versions: {}, notes: { class: 'plaintext' } };
};
const ends = { identities: endedCaptures() };
const captures = () => {
  const sources: Record<string, DeployedSource> = {
    identities: takenInLambda({ kind: 'identities', at: 'https://validator.example.com', take }, { vault, encryption }),
    participant: { kind: 'postgres', at: 'postgres://db/participant' },
  };
  return deployedCaptures({ ends, sourceOf: (_, component) => sources[component] });
};

describe('captures in a Lambda', () => {
  test('are over when start is, and the handle tells the later steps all', async () => {
    const handle = await captures().start(order('identities'));
    const later = captureEnds(ends);
    expect(await later.poll(handle, 0)).toEqual({ ended: true, progress: { bytes: SENTINEL.length } });
    const { artifacts, notes } = await later.finish(handle);
    expect(notes).toEqual({ class: 'plaintext' });
    expect(artifacts).toMatchObject([
      { encodings: ['gzip', 'kms-envelope-v1'], content: 'splice-identities-json', plain: { size: SENTINEL.length } },
    ]);
    expect(await vault.stat(artifacts[0]?.key ?? '')).toMatchObject({ size: artifacts[0]?.size });
  });

  test('leave nothing secret in the handle, and bind what is stored to its place', async () => {
    const handle = await captures().start(order('identities'));
    expect(handle).not.toContain(SENTINEL);
    expect(bound.at(-1)).toEqual({
      ...{ network: 'acme', node: 'validator-1', slot: '2026-01-01T00:00:00Z' },
      ...{ component: 'identities', content: 'splice-identities-json' },
    });
  });

  test('that are started again are taken again, beside what the first start may have stored', async () => {
    const keys: unknown[] = [];
    for (let n = 0; n < 3; n++) {
      const handle = await captures().start(order('identities'));
      keys.push((await captureEnds(ends).finish(handle)).artifacts[0]?.key);
    }
    expect(new Set(keys).size).toBe(3);
  });

  test('say that KMS was away as it was said, so that the step is tried again', async () => {
    const throttled: Encryption = {
      encoding: 'kms-envelope-v1',
      filter: () => () =>
        (async function* () {
          yield await Promise.reject(new KmsUnavailable('a key', 'ThrottlingException'));
        })(),
    };
    const source = takenInLambda({ kind: 'identities', at: 'https://v', take }, { vault, encryption: throttled });
    await expect(source.start?.(order('identities'))).rejects.toMatchObject({ name: 'KmsUnavailable' });
  });

  test('refuse a database by name, and say what to do instead', async () => {
    await expect(captures().start(order('participant'))).rejects.toMatchObject({
      name: 'NotInLambda',
      message: expect.stringContaining('postgres://db/participant'),
      remedy: expect.stringContaining('ledgerhold backup'),
    });
  });

  test('refuse a handle that no start has given', async () => {
    await expect(captureEnds(ends).finish('{}')).rejects.toMatchObject({ name: 'CaptureFailed' });
  });

  test('refuse a component that is not deployed', async () => {
    await expect(captures().start(order('wallet'))).rejects.toMatchObject({ name: 'NotInLambda' });
  });
});

describe('a deployed source', () => {
  const auth = {
    tokenUrl: 'https://auth.example.com/token',
    clientId: 'backup',
    clientSecretArn: 'arn:aws:secretsmanager:eu-central-1:111111111111:secret:x',
  };
  const reach = () => ({
    ...{ vault, encryption, rds: rdsClient('eu-central-1'), clock: { now: () => new Date(0) } },
    secrets: fakeSecretsManager().client,
    ...{ ecs: new ECSClient({ region: 'eu-central-1' }), place: undefined },
  });

  test('of identities is their endpoint, and can be taken', () => {
    const source = { identities: { url: 'https://validator.example.com/api/validator/', auth } };
    expect(deployedSource(source, reach())).toEqual({
      kind: 'identities',
      at: 'https://validator.example.com/api/validator/v0/admin/participant/identities',
      start: expect.any(Function),
    });
  });

  test('elsewhere is told as it is, and cannot be taken', () => {
    const elsewhere = { kind: 'postgres', at: 'postgres://db/participant' };
    expect(deployedSource({ elsewhere }, reach())).toEqual(elsewhere);
    expect(deployedSource(undefined, reach())).toBeUndefined();
  });

  test.each([
    ['plain HTTP', { url: 'http://validator.example.com', auth }],
    ['a secret in place of its name', { url: 'https://v.example.com', auth: { ...auth, clientSecretArn: 'hunter2' } }],
    ['an unknown key', { url: 'https://v.example.com', auth: { ...auth, clientSecret: 'hunter2' } }],
  ])('is refused with %s', (_, identities) => {
    expect(CaptureSources.safeParse({ node: { identities: { identities } } }).success).toBe(false);
  });
});
