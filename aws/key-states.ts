import { DescribeKeyCommand, type KMSClient } from '@aws-sdk/client-kms';
import { callKms, KmsKeyUnusable } from './kms-errors.ts';

/**
 * Why nobody can rely on a key, such as `PendingDeletion`; undefined if it is enabled. A key that may not be looked at is
 * in doubt, and that is a reason as well. Rejects with `KmsUnavailable`.
 */
export async function keyFault(client: KMSClient, keyArn: string): Promise<string | undefined> {
  try {
    const { KeyMetadata } = await callKms(keyArn, () => client.send(new DescribeKeyCommand({ KeyId: keyArn })));
    const { KeyState = 'no state', DeletionDate } = KeyMetadata ?? {};
    if (KeyState === 'Enabled') return undefined;
    return DeletionDate === undefined ? KeyState : `${KeyState}, due ${DeletionDate.toISOString()}`;
  } catch (error) {
    if (error instanceof KmsKeyUnusable) return error.reason;
    throw error;
  }
}
