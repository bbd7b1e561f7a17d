import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import {
  CreateSecretCommand,
  DescribeSecretCommand,
  PutSecretValueCommand,
  type SecretsManagerClient,
  UpdateSecretVersionStageCommand,
} from '@aws-sdk/client-secrets-manager';
import { canonicalBytes } from '../core/canonical.ts';
import type { Sha256 } from '../core/names.ts';
import { sha256 } from '../io/digest.ts';
import { callSecrets, SecretUnusable } from './secrets-errors.ts';

/** What is stored is JSON; `docs/protocols/splice-identities.md` says how to read it with standard tools. */
const FORMAT = 'ledgerhold/identities-secret/1';

/** A quota of the service, in bytes. */
const MAX_SECRET_BYTES = 65_536;

/** Beside AWSCURRENT: what a run stored and nobody has promoted yet. */
export const CANDIDATE = 'LEDGERHOLD_CANDIDATE';

export interface IdentitiesSecret {
  /** Name or ARN. */
  readonly secretId: string;
  /** Key for a secret that must be created; else the account's default. */
  readonly kmsKeyId?: string;
}

/** The run that stores: its names become the version's id, so that a repeated step adds no version. */
export interface StoringRun {
  readonly network: string;
  readonly node: string;
  readonly slot: string;
  readonly fence: number;
}

/** A version that was stored, and the one that is AWSCURRENT: all that a promoter needs, who can read neither. */
export interface StoredSecret {
  readonly versionId: string;
  readonly replaces: string;
  /** `pointer`: too large even when compressed, so that the secret names the artifact in the vault. */
  readonly form: 'gzip' | 'pointer';
}

/**
 * Stores validated identities as a candidate: AWSCURRENT stays as it is. `artifact` is their file in the vault.
 * Rejects with `SecretUnusable` or `SecretsUnavailable`.
 */
export async function storeCandidate(
  client: SecretsManagerClient,
  secret: IdentitiesSecret,
  run: StoringRun,
  body: Uint8Array,
  artifact: { readonly key: string; readonly sha256: Sha256 },
): Promise<StoredSecret> {
  const replaces = await currentVersion(client, secret);
  const { form, text } = await valueOf(body, artifact);
  const versionId = versionIdOf(run);
  const command = new PutSecretValueCommand({
    SecretId: secret.secretId,
    ClientRequestToken: versionId,
    SecretString: text,
    VersionStages: [CANDIDATE],
  });
  // Exists: this very attempt stored identities before; a node's answer is not byte-stable, so its bytes may differ.
  await callSecrets(secret.secretId, () => client.send(command), 'ResourceExistsException');
  return { versionId, replaces, form };
}

/** Makes a stored version AWSCURRENT. Needs only `UpdateSecretVersionStage`; may be repeated. */
export async function promote(
  client: SecretsManagerClient,
  { secretId }: IdentitiesSecret,
  { versionId, replaces }: StoredSecret,
): Promise<void> {
  if (versionId === replaces) return;
  const command = new UpdateSecretVersionStageCommand({
    SecretId: secretId,
    VersionStage: 'AWSCURRENT',
    MoveToVersionId: versionId,
    RemoveFromVersionId: replaces,
  });
  await callSecrets(secretId, () => client.send(command));
}

/**
 * The first version of a secret becomes AWSCURRENT whatever label is asked for: so a placeholder is the first, and no
 * candidate ever is what applications read before it was promoted.
 */
async function currentVersion(client: SecretsManagerClient, { secretId, kmsKeyId }: IdentitiesSecret): Promise<string> {
  const place = { ClientRequestToken: PLACEHOLDER_ID, SecretString: PLACEHOLDER };
  const describe = new DescribeSecretCommand({ SecretId: secretId });
  const found = await callSecrets(secretId, () => client.send(describe), 'ResourceNotFoundException');
  if (found === undefined) {
    const key = kmsKeyId === undefined ? {} : { KmsKeyId: kmsKeyId };
    await callSecrets(secretId, () => client.send(new CreateSecretCommand({ Name: secretId, ...key, ...place })));
    return PLACEHOLDER_ID;
  }
  const versions = Object.entries(found.VersionIdsToStages ?? {});
  if (versions.length === 0) {
    await callSecrets(secretId, () => client.send(new PutSecretValueCommand({ SecretId: secretId, ...place })));
    return PLACEHOLDER_ID;
  }
  const current = versions.find(([, stages]) => stages.includes('AWSCURRENT'));
  if (current === undefined) throw new SecretUnusable(secretId, 'none of its versions is AWSCURRENT');
  return current[0];
}

async function valueOf(body: Uint8Array, artifact: { readonly key: string; readonly sha256: Sha256 }) {
  const packed = await promisify(gzip)(body);
  const text = textOf({ format: FORMAT, sha256: sha256(body), gzip: packed.toString('base64') });
  packed.fill(0);
  if (Buffer.byteLength(text) <= MAX_SECRET_BYTES) return { form: 'gzip', text } as const;
  return { form: 'pointer', text: textOf({ format: FORMAT, vault: artifact }) } as const;
}

const textOf = (value: unknown): string => Buffer.from(canonicalBytes(value)).toString();

const PLACEHOLDER = textOf({ format: FORMAT, placeholder: true });
const PLACEHOLDER_ID = uuidOf('placeholder');

/** A run's own token: one made of the content would do nothing when identities change from A to B and back to A. */
const versionIdOf = ({ network, node, slot, fence }: StoringRun): string =>
  uuidOf(textOf({ network, node, slot, fence }));

/** 128 bits of SHA-256 in the form of a UUID: the service wants 32 to 64 characters. */
function uuidOf(text: string): string {
  return sha256(Buffer.from(text)).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*$/, '$1-$2-$3-$4-$5');
}
