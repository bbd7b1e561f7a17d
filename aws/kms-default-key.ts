import { DescribeKeyCommand, type KMSClient } from '@aws-sdk/client-kms';
import { callKms } from './kms-errors.ts';

/** Tells a key that AWS manages, such as `aws/rds`, which no other account can ever be given, from one of ours. */
export const defaultKeyOf =
  (client: KMSClient) =>
  async (kmsKey: string): Promise<boolean> => {
    const command = new DescribeKeyCommand({ KeyId: kmsKey });
    const { KeyMetadata } = await callKms(kmsKey, () => client.send(command));
    return KeyMetadata?.KeyManager === 'AWS';
  };
