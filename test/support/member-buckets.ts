import { memberClient } from '../../aws/s3-client.ts';
import { type S3DestinationOptions, s3Destination } from '../../aws/s3-destination.ts';
import { memberPrefix } from '../../core/names.ts';
import { startFaultyS3 } from '../fakes/faulty-s3.ts';
import { OWNER, type S3Memory, type S3Request } from '../fakes/s3-memory.ts';
import { ofThisRealm } from './this-realm.ts';

export const PREFIX = memberPrefix('acme', 'bank-a');
export const SOURCE = 'acme/';
export const NOW = new Date('2026-11-24T12:00:00.000Z');

const ADDS: readonly string[] = ['PutObject', 'CopyObject', 'CreateMultipartUpload', 'UploadPart', 'UploadPartCopy'];
const ENDS: readonly string[] = ['CompleteMultipartUpload', 'AbortMultipartUpload'];
const NAMES_A_CONDITION: readonly string[] = ['PutObject', 'CopyObject', 'CompleteMultipartUpload'];

/** What a member's policy lets us do, and our own vault's: add under the prefix on condition, read what is copied. */
export function addOnly({ operation, key, headers }: S3Request): boolean {
  if (key.startsWith(SOURCE)) return operation === 'HeadObject';
  if (!key.startsWith(PREFIX) || ![...ADDS, ...ENDS].includes(operation)) return false;
  return !NAMES_A_CONDITION.includes(operation) || headers['if-none-match'] === '*';
}

/** The same with `--grant-reads`: what is absent is refused like what is closed, as S3 does where nothing may be listed. */
export const addAndRead =
  ({ objects }: S3Memory) =>
  (request: S3Request): boolean =>
    addOnly(request) ||
    (request.operation === 'GetObject' && request.key.startsWith(PREFIX) && objects.has(request.key));

/** The fake with a member's bucket and its policy, and a vault of ours to copy from. Waits take no time. */
export async function memberBucketWorld(more: Partial<S3DestinationOptions> = {}) {
  const fake = await startFaultyS3();
  fake.memory.allows = addOnly;
  const credentials = { accessKeyId: 'a', secretAccessKey: 'b' };
  const client = ofThisRealm(memberClient({ region: 'eu-central-1', endpoint: fake.endpoint, credentials }));
  const waits: number[] = [];
  const wait = async (milliseconds: number) => void waits.push(milliseconds);
  const options: S3DestinationOptions = {
    ...{ client, bucket: 'bank-a', account: OWNER, region: 'eu-central-1', prefix: PREFIX },
    pace: { wait, random: () => 1 },
    ...more,
  };
  const source = { client, bucket: 'vault', prefix: SOURCE, account: OWNER };
  const clock = { now: () => NOW };
  const lay = (key: string, body: Uint8Array, extra: { sha256?: string; claims?: number } = {}) =>
    void fake.memory.objects.set(key, { body: Buffer.from(body), metadata: {}, modified: NOW, ...extra });
  return {
    ...{ fake, options, source, clock, waits, lay },
    streaming: s3Destination(options, clock),
    copying: s3Destination({ ...options, source }, clock),
    held: (key: string): Buffer | undefined => fake.memory.objects.get(PREFIX + key)?.body,
    seen: (operation: string) => fake.log.filter((request) => request.operation === operation),
    stop: async () => {
      client.destroy();
      await fake.stop();
    },
  };
}
export type MemberBucketWorld = Awaited<ReturnType<typeof memberBucketWorld>>;
