import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import {
  DescribeSecretCommand,
  PutSecretValueCommand,
  type SecretsManagerClient,
  UpdateSecretVersionStageCommand,
} from '@aws-sdk/client-secrets-manager';
import { canonicalBytes } from '../core/canonical.ts';
import {
  IDENTITIES_SECRET_FORMAT,
  PLACEHOLDER,
  PromotionOvertaken,
  SecretBeingDeleted,
  SecretUnusable,
  type StoredSecret,
} from '../core/identities-secret.ts';
import type { Artifact } from '../core/receipts.ts';
import { sha256 } from '../io/digest.ts';
import { callSecrets } from './secrets-errors.ts';

/** A quota of the service, in bytes. */
const MAX_SECRET_BYTES = 65_536;

/**
 * Beside AWSCURRENT and AWSPREVIOUS: what a run stored and nobody has promoted yet. A secret has at most these three of
 * the 20 labels it may have; versions without one the service removes by itself when they are many.
 */
export const CANDIDATE = 'LEDGERHOLD_CANDIDATE';

/** The attempt that stores: its names become the version's id, so that a repeated call adds no version. */
export interface StoringRun {
  readonly network: string;
  readonly node: string;
  readonly slot: string;
  readonly fence: number;
}

type InVault = Pick<Artifact, 'key' | 'sha256'>;

/**
 * Stores validated identities as a candidate: AWSCURRENT stays as it is. `artifact` is their file in the vault.
 * Rejects with an error of `core/identities-secret.ts`; then nothing has become current.
 */
export async function storeCandidate(
  client: SecretsManagerClient,
  secretId: string,
  run: StoringRun,
  body: Uint8Array,
  artifact: InVault,
): Promise<StoredSecret> {
  const replaces = await currentVersion(client, secretId);
  const { form, text } = await valueOf(body, artifact);
  const versionId = versionIdOf(run, artifact);
  const command = new PutSecretValueCommand({
    SecretId: secretId,
    ClientRequestToken: versionId,
    SecretString: text,
    VersionStages: [CANDIDATE],
  });
  // Exists: the same call was made before, for the same file of the vault, which is written once.
  await callSecrets(secretId, () => client.send(command), 'ResourceExistsException');
  return { secretId, versionId, replaces, form };
}

/**
 * Makes a stored version AWSCURRENT. Needs only `UpdateSecretVersionStage`, and may be repeated. Rejects with
 * `PromotionOvertaken` if AWSCURRENT has moved since the version was stored.
 */
export async function promote(
  client: SecretsManagerClient,
  { secretId, versionId, replaces }: Omit<StoredSecret, 'form'>,
): Promise<void> {
  if (await moveCurrent(client, secretId, replaces, versionId)) return;
  // A repeated call: the first one's answer was lost. Moved from itself, a version stays current if it is, and else fails.
  if (await moveCurrent(client, secretId, versionId, versionId)) return;
  throw new PromotionOvertaken(secretId, versionId);
}

/** False, and nothing is changed, if the version to move it from is not AWSCURRENT. */
async function moveCurrent(client: SecretsManagerClient, secretId: string, from: string, to: string): Promise<boolean> {
  const command = new UpdateSecretVersionStageCommand({
    SecretId: secretId,
    VersionStage: 'AWSCURRENT',
    MoveToVersionId: to,
    RemoveFromVersionId: from,
  });
  const moved = async () => {
    await client.send(command);
    return true;
  };
  return (await callSecrets(secretId, moved, 'InvalidParameterException')) === true;
}

/** The stack makes the secret, and its first version is a placeholder. */
async function currentVersion(client: SecretsManagerClient, secretId: string): Promise<string> {
  const describe = new DescribeSecretCommand({ SecretId: secretId });
  const found = await callSecrets(secretId, () => client.send(describe));
  if (found?.DeletedDate !== undefined) throw new SecretBeingDeleted(secretId, 'it is scheduled for deletion');
  const versions = Object.entries(found?.VersionIdsToStages ?? {});
  if (versions.length === 0) {
    const place = { SecretId: secretId, ClientRequestToken: PLACEHOLDER_ID, SecretString: PLACEHOLDER };
    await callSecrets(secretId, () => client.send(new PutSecretValueCommand(place)));
    return PLACEHOLDER_ID;
  }
  const current = versions.find(([, stages]) => stages.includes('AWSCURRENT'));
  if (current === undefined) throw new SecretUnusable(secretId, 'none of its versions is AWSCURRENT');
  return current[0];
}

async function valueOf(body: Uint8Array, { key, sha256: stored }: InVault) {
  const packed = await promisify(gzip)(body);
  const whole = { format: IDENTITIES_SECRET_FORMAT, sha256: sha256(body), gzip: packed.toString('base64') };
  packed.fill(0);
  const text = textOf(whole);
  if (Buffer.byteLength(text) <= MAX_SECRET_BYTES) return { form: 'gzip', text } as const;
  const pointer = { format: IDENTITIES_SECRET_FORMAT, vault: { key, sha256: stored } };
  return { form: 'pointer', text: textOf(pointer) } as const;
}

const textOf = (value: unknown): string => Buffer.from(canonicalBytes(value)).toString();

const PLACEHOLDER_ID = uuidOf('placeholder');

/**
 * A run's own token: one made of the content would do nothing when identities change from A to B and back to A. With the
 * file's name, since a start that is repeated fetches again and stores under the next one: a receipt cites a file and the
 * version that was made of it.
 */
const versionIdOf = ({ network, node, slot, fence }: StoringRun, { key }: InVault): string =>
  uuidOf(textOf({ network, node, slot, fence, key }));

/** 128 bits of SHA-256 in the form of a UUID: the service wants 32 to 64 characters. */
function uuidOf(text: string): string {
  return sha256(Buffer.from(text)).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*$/, '$1-$2-$3-$4-$5');
}
