import { s3Client } from '../../aws/s3-client.ts';
import { s3Janitor, s3Vault } from '../../aws/s3-vault.ts';
import { behavesLikeAVault } from '../conformance/behaves-like-a-vault.ts';
import { startFaultyS3 } from '../fakes/faulty-s3.ts';
import { OWNER } from '../fakes/s3-memory.ts';

/** The smallest part that S3 takes, so that the suite's streams of 12 MB have three. */
const partSize = (): number => 5 * 1024 * 1024;

behavesLikeAVault('a bucket', async () => {
  const fake = await startFaultyS3();
  const credentials = { accessKeyId: 'a', secretAccessKey: 'b' };
  const client = s3Client({ region: 'us-east-1', endpoint: fake.endpoint, credentials });
  const options = { client, bucket: 'vault', prefix: 'acme/', account: OWNER, partSize };
  return {
    vault: s3Vault(options),
    janitor: s3Janitor(options),
    cleanup: async () => {
      client.destroy();
      await fake.stop();
    },
  };
});
