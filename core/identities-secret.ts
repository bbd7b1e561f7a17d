import { canonicalBytes } from './canonical.ts';
import { LedgerholdError } from './errors.ts';

/** What is stored is JSON; `docs/protocols/splice-identities.md` says how to read it with standard tools. */
export const IDENTITIES_SECRET_FORMAT = 'ledgerhold/identities-secret/1';

/**
 * A secret's first version. The service makes the first one AWSCURRENT whatever label is asked for: so it is this, and
 * no candidate ever is what applications read before it was promoted.
 */
export const PLACEHOLDER = new TextDecoder().decode(
  canonicalBytes({ format: IDENTITIES_SECRET_FORMAT, placeholder: true }),
);

/** A version that was stored, and the one that was AWSCURRENT then: all that a promoter needs, who can read neither. */
export interface StoredSecret {
  readonly secretId: string;
  readonly versionId: string;
  readonly replaces: string;
  /** `pointer`: too large even when compressed, so that the secret names the artifact in the vault. */
  readonly form: 'gzip' | 'pointer';
}

/** What the end receipt says of it, for whoever promotes it after the seal. Nothing of a key. */
export const notesOfSecret = ({ secretId, versionId, replaces, form }: StoredSecret): Record<string, string> => ({
  'secret.name': secretId,
  'secret.versionId': versionId,
  'secret.replaces': replaces,
  'secret.form': form,
});

/** What a receipt's notes ask to be promoted; undefined where nothing was stored. */
export function promotionIn(
  notes: Readonly<Record<string, string>>,
): Pick<StoredSecret, 'secretId' | 'versionId' | 'replaces'> | undefined {
  const { 'secret.name': secretId, 'secret.versionId': versionId, 'secret.replaces': replaces } = notes;
  if (secretId === undefined || versionId === undefined || replaces === undefined) return undefined;
  return { secretId, versionId, replaces };
}

export class SecretUnusable extends LedgerholdError {
  override readonly name = 'SecretUnusable';
  readonly kind = 'usage';
  constructor(secretId: string, why: string) {
    super(
      `the secret ${secretId} cannot be used: ${why}`,
      'Deploy the stack again if the secret or a right of the role is missing; then look at who else changes the secret.',
    );
  }
}

/** Nothing can be stored in a secret that is scheduled for deletion. */
export class SecretBeingDeleted extends LedgerholdError {
  override readonly name = 'SecretBeingDeleted';
  readonly kind = 'usage';
  constructor(secretId: string, why: string) {
    super(
      `the secret ${secretId} takes no new version: ${why}`,
      `Run \`aws secretsmanager restore-secret --secret-id ${secretId}\`, find out who deleted it, and run again.`,
    );
  }
}

/** The key that seals the secret cannot be used: disabled, scheduled for deletion, or closed to this role. */
export class SecretKeyUnusable extends LedgerholdError {
  override readonly name = 'SecretKeyUnusable';
  readonly kind = 'usage';
  constructor(secretId: string, why: string) {
    super(
      `the secret ${secretId} cannot be sealed with its KMS key: ${why}`,
      'Enable the key, or cancel its deletion; `aws secretsmanager describe-secret` names it as KmsKeyId.',
    );
  }
}

export class SecretsUnavailable extends LedgerholdError {
  override readonly name = 'SecretsUnavailable';
  readonly kind = 'external';
  constructor(secretId: string, why: string) {
    super(`Secrets Manager gave no answer for ${secretId}: ${why}`, 'Try again.');
  }
}

/** AWSCURRENT has moved since the run looked: to another run's version, or by hand. */
export class PromotionOvertaken extends LedgerholdError {
  override readonly name = 'PromotionOvertaken';
  readonly kind = 'refused';
  constructor(secretId: string, versionId: string) {
    super(
      `version ${versionId} of the secret ${secretId} was not made current: another version became current meanwhile`,
      'Back up once more: the next run promotes what it has just fetched. The set of this run is sealed and whole.',
    );
  }
}
