import { ECSClient } from '@aws-sdk/client-ecs';
import { GetSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import { describe, expect, test } from '@jest/globals';
import { deployedCaptures } from '../../aws/deployed-captures.ts';
import { endedCaptures } from '../../aws/lambda-captures.ts';
import { rdsClient } from '../../aws/rds-client.ts';
import { CANDIDATE, promote } from '../../aws/secrets-store.ts';
import { identitiesSecretName } from '../../core/deployed-names.ts';
import { PLACEHOLDER } from '../../core/identities-secret.ts';
import type { Encryption } from '../../core/ports.ts';
import type { Reading } from '../../core/positions.ts';
import { type Captured, EndReceipt } from '../../core/receipts.ts';
import type { Http } from '../../io/http.ts';
import { promoteIdentities } from '../../lambdas/promote-identities/contract.ts';
import { run as runPromote } from '../../lambdas/promote-identities/run.ts';
import { deployedSource } from '../../lambdas/start-capture/take.ts';
import { stepsOf } from '../../local/backup-runtime.ts';
import { local, runtime } from '../../local/runtime.ts';
import type { Protocol } from '../../protocols/protocol.ts';
import { readDocument } from '../../vault/documents.ts';
import { manifestKey, receiptKey } from '../../vault/layout.ts';
import { MemoryVault } from '../fakes/memory-vault.ts';
import { fakeSecretsManager } from '../fakes/secrets-manager.ts';
import { identitiesDump } from '../support/identities.ts';
import { failureOf, said } from '../support/said.ts';
import { healthy, newKeys, reading, toyCaptures, toyProtocol, toyRun } from '../support/toy-sets.ts';
import { emitted } from '../support/workflows.ts';

const keys = newKeys();
const now = () => new Date('2026-11-01T00:00:00Z');
const SECRET = identitiesSecretName('toy-net', 'toy-1');
const protocol: Protocol = {
  ...toyProtocol,
  roles: { ...toyProtocol.roles, identities: { kind: 'identities', holds: 'keys', required: false } },
};
const source = {
  url: 'https://validator.example.com/api/validator',
  auth: { tokenUrl: 'https://auth.example.com/token', clientId: 'backup', clientSecretArn: 'arn:aws:secret' },
};
/** Hides what is stored, so that a search of the vault finds no key by its own bytes. */
const encryption: Encryption = {
  encoding: 'kms-envelope-v1',
  filter: () =>
    async function* (bytes) {
      for await (const part of bytes) yield part.map((byte) => ~byte);
    },
};

/** The real steps as they are deployed, over a vault in memory, with a validator that answers what `dump` is. */
function deployed() {
  const vault = new MemoryVault();
  const secrets = fakeSecretsManager();
  secrets.add(SECRET, PLACEHOLDER);
  secrets.mock.on(GetSecretValueCommand, { SecretId: 'arn:aws:secret' }).resolves({ SecretString: 'hunter2' });
  const answer = (value: unknown, status = 200) => ({
    ...{ status, headers: new Map([['content-type', 'application/json']]) },
    body: Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)),
  });
  const validator: { says: unknown } = { says: identitiesDump('a') };
  const http: Http = async (url) =>
    url.includes('auth.') ? answer({ access_token: 'token', token_type: 'Bearer' }) : answer(validator.says);
  const rds = rdsClient('eu-central-1');
  const noDumps = { ecs: new ECSClient({ region: 'eu-central-1' }), place: undefined };
  const reach = { vault, encryption, rds, clock: { now }, secrets: secrets.client, http: () => http, ...noDumps };
  const readings: Record<string, Reading> = { ...healthy };
  const toy = toyCaptures(vault, readings, now);
  const captures = deployedCaptures({
    ends: { identities: endedCaptures(), toy },
    sourceOf: (_, component) =>
      component === 'identities'
        ? deployedSource({ identities: source }, reach)
        : { kind: 'toy', at: component, start: toy.start },
  });
  const ports = {
    ...{ vault, clock: { now }, signer: keys.signer, holderGone: () => false, protocolNamed: () => protocol },
    captures: { ...captures, stop: async () => {} },
  };
  const promotePorts = { vault, promote: (version: Parameters<typeof promote>[1]) => promote(secrets.client, version) };
  const promoting = local(promoteIdentities, (input) => runPromote(input, promotePorts));
  const steps = { ...stepsOf(ports), promoteIdentities: promoting };
  const seen: unknown[] = [];
  const backup = async (slot: string, names = ['identities', 'app', 'ledger']) => {
    const components = names.map((component) => ({ component, role: component }));
    const run = toyRun(slot, { components, reason: 'manual' } as never);
    const machine = runtime({ definition: emitted('backup'), steps, onEvent: (event) => void seen.push(event) });
    return (await machine.run({ run }, { executionId: slot })) as Record<string, unknown>;
  };
  const notesOf = async (slot: string): Promise<Captured['notes']> => {
    const key = receiptKey({ node: 'toy-1', slot, fence: 1 }, 'identities', 'end');
    return (await readDocument(vault, key, EndReceipt))?.value.notes ?? {};
  };
  return { vault, secrets, validator, readings, backup, notesOf, seen, promotePorts };
}

const current = ({ secrets }: ReturnType<typeof deployed>) => secrets.holderOf(SECRET, 'AWSCURRENT');

describe('identities of a deployed node', () => {
  test('become current when their set is sealed, and the receipt says which version they are', async () => {
    const world = deployed();
    const placeholder = current(world);
    expect(await world.backup('s1')).toMatchObject({ promoteIdentities: { promoted: [SECRET] } });
    const notes = await world.notesOf('s1');
    expect(notes).toMatchObject({
      ...{ 'secret.name': SECRET, 'secret.versionId': current(world), 'secret.replaces': placeholder },
      ...{ 'secret.form': 'gzip', class: 'plaintext' },
    });
    expect(world.secrets.stagesOf(SECRET, placeholder)).toEqual(['AWSPREVIOUS']);
  });

  test('from A to B and back to A make A current again', async () => {
    const world = deployed();
    const a = identitiesDump('a');
    const b = { ...a, keys: identitiesDump('b').keys };
    const held: unknown[] = [];
    for (const [slot, dump] of Object.entries({ s1: a, s2: b, s3: a })) {
      world.validator.says = dump;
      await world.backup(slot);
      held.push((world.secrets.valueOf(SECRET, current(world)) as { sha256: string }).sha256);
    }
    expect(held[0]).toBe(held[2]);
    expect(held[0]).not.toBe(held[1]);
    expect(world.secrets.labelsOf(SECRET)).toEqual(['AWSCURRENT', 'AWSPREVIOUS', CANDIDATE]);
  });

  test.each([
    ['an HTML page', '<html>maintenance</html>'],
    ['identities without keys', { ...identitiesDump('a'), keys: [] }],
  ])('are not stored anywhere when the validator answers with %s', async (_, says) => {
    const world = deployed();
    const placeholder = current(world);
    world.validator.says = says;
    await expect(world.backup('s1')).rejects.toMatchObject({ name: 'NotIdentities' });
    expect([current(world), world.secrets.countOf(SECRET)]).toEqual([placeholder, 1]);
    expect([...world.vault.objects.keys()].filter((key) => key.endsWith('.sealed'))).toEqual([]);
  });

  test('stay a candidate when the set is not sealed', async () => {
    const world = deployed();
    const placeholder = current(world);
    world.readings['app'] = reading('app', 'seen', 99);
    expect(await failureOf(world.backup('s1'))).toMatchObject({ name: 'OrderViolated' });
    expect(current(world)).toBe(placeholder);
    expect(world.secrets.labelsOf(SECRET)).toEqual(['AWSCURRENT', CANDIDATE]);
    Object.assign(world.readings, healthy);
    await world.backup('s2');
    expect(current(world)).toBe((await world.notesOf('s2'))['secret.versionId']);
  });

  test('are in no state, receipt or event of the run', async () => {
    const world = deployed();
    const dump = identitiesDump('a');
    world.validator.says = dump;
    const state = await world.backup('s1');
    const documents = [...world.vault.objects.values()].map((bytes) => Buffer.from(bytes).toString('latin1'));
    const everything = JSON.stringify([state, world.seen]) + documents.join('\n');
    for (const { keyPair } of dump.keys as { keyPair: string }[]) expect(everything).not.toContain(keyPair);
    expect(everything).not.toContain('hunter2');
    expect(everything).toContain('secret.versionId');
  });
});

describe('the promotion', () => {
  test('has nothing to do for a node without identities', async () => {
    const world = deployed();
    const before = current(world);
    expect(await world.backup('s1', ['app', 'ledger'])).toMatchObject({ promoteIdentities: { promoted: [] } });
    expect(current(world)).toBe(before);
  });

  test('may be repeated, and does not bring back what a later run has replaced', async () => {
    const world = deployed();
    const { sealManifest: first } = await world.backup('s1');
    const { manifest, seq } = first as { manifest: never; seq: never };
    const again = () => runPromote({ node: 'toy-1' as never, seq, manifest }, world.promotePorts);
    expect(await again()).toEqual({ promoted: [SECRET] });
    await world.backup('s2');
    const newest = current(world);
    expect(await failureOf(again())).toMatchObject({ name: 'PromotionOvertaken' });
    expect(current(world)).toBe(newest);
  });

  test('believes no receipt and no manifest but those that were sealed', async () => {
    const world = deployed();
    const { sealManifest: sealed } = await world.backup('s1');
    const { manifest, seq } = sealed as { manifest: never; seq: never };
    const before = current(world);
    const promoteAgain = () => runPromote({ node: 'toy-1' as never, seq, manifest }, world.promotePorts);
    const receipt = receiptKey({ node: 'toy-1', slot: 's1', fence: 1 }, 'identities', 'end');
    for (const key of [receipt, manifestKey('toy-1', 1)]) {
      const bytes = world.vault.objects.get(key) ?? Buffer.alloc(0);
      world.vault.objects.set(key, Buffer.from(Buffer.from(bytes).toString().replace('00:00.000Z', '00:01.000Z')));
      const error = await failureOf(promoteAgain());
      expect(error).toMatchObject({ name: 'ChainDamaged' });
      expect(said(error)).toContain(key);
      world.vault.objects.delete(key);
      expect(await failureOf(promoteAgain())).toMatchObject({ name: 'ChainDamaged' });
      world.vault.objects.set(key, bytes);
    }
    expect(current(world)).toBe(before);
  });
});
