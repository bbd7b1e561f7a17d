import { randomUUID } from 'node:crypto';
import {
  CreateSecretCommand,
  type CreateSecretCommandInput,
  DescribeSecretCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
  UpdateSecretVersionStageCommand,
} from '@aws-sdk/client-secrets-manager';
import { mockClient } from 'aws-sdk-client-mock';

interface Version {
  readonly value: string;
  readonly stages: Set<string>;
}
type Versions = Map<string, Version>;

/** Behaves as `secrets-manager.md` says. */
export function fakeSecretsManager() {
  const client = new SecretsManagerClient({ region: 'eu-central-1' });
  const secrets = new Map<string, Versions>();
  const versionsOf = (id = ''): Versions => secrets.get(id) ?? refuse('ResourceNotFoundException', id);
  const deleted = new Set<string>();
  const writable = (id = ''): Versions => (deleted.has(id) ? refuse('InvalidRequestException', id) : versionsOf(id));
  const mock = mockClient(client);

  mock.on(CreateSecretCommand).callsFake(({ Name = '', ...input }: CreateSecretCommandInput) => {
    const { token, value } = checked(input);
    if (secrets.has(Name)) refuse('ResourceExistsException', Name);
    secrets.set(Name, new Map([[token, { value, stages: new Set(['AWSCURRENT']) }]]));
  });
  mock.on(PutSecretValueCommand).callsFake((input) => {
    const { token, value } = checked(input);
    const versions = writable(input.SecretId);
    const before = versions.get(token);
    if (before !== undefined && before.value !== value) refuse('ResourceExistsException', token);
    if (before !== undefined) return;
    const stages: string[] = input.VersionStages ?? ['AWSCURRENT'];
    if (versions.size === 0) stages.push('AWSCURRENT');
    versions.set(token, { value, stages: new Set() });
    for (const stage of stages) move(versions, stage, token);
  });
  mock.on(DescribeSecretCommand).callsFake(({ SecretId }) => {
    const staged = [...versionsOf(SecretId)].filter(([, { stages }]) => stages.size > 0);
    const gone = deleted.has(SecretId) ? { DeletedDate: new Date(0) } : {};
    return { ...gone, VersionIdsToStages: Object.fromEntries(staged.map(([id, { stages }]) => [id, [...stages]])) };
  });
  mock.on(UpdateSecretVersionStageCommand).callsFake((input) => {
    const versions = writable(input.SecretId);
    if (!versions.has(input.MoveToVersionId)) refuse('ResourceNotFoundException', input.MoveToVersionId);
    const holder = [...versions].find(([, { stages }]) => stages.has(input.VersionStage))?.[0];
    if (holder !== undefined && holder !== input.RemoveFromVersionId) refuse('InvalidParameterException', holder);
    move(versions, input.VersionStage, input.MoveToVersionId);
  });

  /** A secret made elsewhere, such as by a stack: with no version yet. */
  const addEmpty = (name: string) => secrets.set(name, new Map());
  /** The same with a first version, as a stack makes it whose template has a value. */
  const add = (name: string, value: string) =>
    secrets.set(name, new Map([[randomUUID(), { value, stages: new Set(['AWSCURRENT']) }]]));
  const scheduleDeletion = (name: string) => deleted.add(name);
  const stagesOf = (name: string, id: string) => [...(secrets.get(name)?.get(id)?.stages ?? [])].sort();
  const valueOf = (name: string, id: string): unknown => JSON.parse(secrets.get(name)?.get(id)?.value ?? 'null');
  const countOf = (name: string) => secrets.get(name)?.size ?? 0;
  const labelsOf = (name: string) =>
    [...(secrets.get(name)?.values() ?? [])].flatMap(({ stages }) => [...stages]).sort();
  const holderOf = (name: string, stage: string) =>
    [...(secrets.get(name) ?? [])].find(([, { stages }]) => stages.has(stage))?.[0] ?? '';
  return { client, mock, add, addEmpty, scheduleDeletion, labelsOf, holderOf, stagesOf, valueOf, countOf };
}

function move(versions: Versions, stage: string, to: string): void {
  for (const [id, { stages }] of versions) {
    if (!stages.delete(stage) || stage !== 'AWSCURRENT' || id === to) continue;
    for (const other of versions.values()) other.stages.delete('AWSPREVIOUS');
    stages.add('AWSPREVIOUS');
  }
  versions.get(to)?.stages.add(stage);
}

function checked({ ClientRequestToken: token = '', SecretString: value = '' }: Partial<CreateSecretCommandInput>) {
  if (token.length < 32 || token.length > 64) refuse('ValidationException', token);
  if (Buffer.byteLength(value) > 65_536) refuse('ValidationException', `Value '${value}' is too long`);
  return { token, value };
}

function refuse(name: string, message: string): never {
  throw Object.assign(new Error(message), { name });
}
