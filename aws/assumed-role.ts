import { AssumeRoleCommand, type AssumeRoleCommandOutput, STSClient } from '@aws-sdk/client-sts';
import { RdsUnavailable } from '../core/rds.ts';
import { SecondAccountRefused } from '../core/snapshot-copies.ts';

/** What a client of AWS takes for a provider of credentials; it asks again before they expire. */
export type Credentials = () => Promise<{
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  readonly expiration: Date;
}>;

/** `region`: whose STS is asked; by default where the SDK looks for it. */
export const stsClient = (region?: string): STSClient =>
  new STSClient({
    ...{ maxAttempts: 3, requestHandler: { connectionTimeout: 5_000, socketTimeout: 20_000 } },
    ...(region === undefined ? {} : { region }),
  });

/**
 * Credentials of a role of the second account, for an hour each: who has a role by assuming gets no longer. Rejects with
 * `SecondAccountRefused` or `RdsUnavailable`.
 */
export const assumedRole =
  (sts: STSClient, roleArn: string, session: string): Credentials =>
  async () => {
    const command = new AssumeRoleCommand({ RoleArn: roleArn, RoleSessionName: session, DurationSeconds: 3600 });
    const answer = await sts.send(command).catch((error: unknown) => {
      throw refusalOf(roleArn, error);
    });
    const given = credentialsIn(answer);
    if (given === undefined)
      throw new RdsUnavailable('the role of the second account', 'STS gave no whole credentials');
    return given;
  };

/** Undefined: they are not whole. */
export function credentialsIn({ Credentials: given }: AssumeRoleCommandOutput) {
  const { AccessKeyId, SecretAccessKey, SessionToken, Expiration } = given ?? {};
  if (!AccessKeyId || !SecretAccessKey || !SessionToken || Expiration === undefined) return undefined;
  return {
    accessKeyId: AccessKeyId,
    secretAccessKey: SecretAccessKey,
    sessionToken: SessionToken,
    expiration: Expiration,
  };
}

function refusalOf(roleArn: string, error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  if (!error.name.startsWith('AccessDenied')) {
    return new RdsUnavailable('the role of the second account', error.name, { cause: error });
  }
  return new SecondAccountRefused(
    `the second account does not let this one have ${roleArn}`,
    'Deploy Ledgerhold-<network>-Second in the second account: it makes the role, and names who may assume it.',
    { cause: error },
  );
}
