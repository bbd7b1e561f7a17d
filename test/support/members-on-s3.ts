import { setTimeout as sleep } from 'node:timers/promises';
import {
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteObjectsCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  PutBucketPolicyCommand,
  PutBucketVersioningCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { memberClient, s3Client } from '../../aws/s3-client.ts';
import { s3Destination } from '../../aws/s3-destination.ts';
import { s3Vault } from '../../aws/s3-vault.ts';
import type { Destination } from '../../core/delivery.ts';
import type { MemberDestination } from '../../core/destination.ts';
import { memberPrefix, NetworkName } from '../../core/names.ts';
import type { Vault } from '../../core/vault.ts';
import { type FaultyLine, faultyLine } from './faulty-line.ts';
import { ofThisRealm } from './this-realm.ts';
import { startVersitygw, type Versitygw } from './versitygw.ts';
import { policyForVersitygw } from './versitygw-policy.ts';

export const NETWORK = NetworkName.parse('acme');
const US = '999999999999';
const THIEF = '666666666666';

/** How the objects of a member come into its bucket. */
export type Way = 'copies' | 'bodies' | 'parts';

/** What was put under a key, by its versions; more than one is the same bytes again, or something was overwritten. */
export interface Versions {
  readonly etags: readonly string[];
  readonly deleted: boolean;
}

/** Waits between tries take a fiftieth of what they take. */
const pace = { wait: (ms: number) => sleep(ms / 50), random: Math.random };

/** A real S3 server with accounts of ours, of members and of a thief, and a line to it that a test can spoil. */
export class MembersOnS3 implements AsyncDisposable {
  readonly line: FaultyLine;
  readonly #server: Versitygw;
  readonly #clients: S3Client[];
  readonly #ours: S3Client;
  readonly #us: S3Client;
  readonly #members: ReadonlyMap<string, S3Client>;
  readonly #thief: S3Client;

  static async start(binary: string, ids: readonly string[]): Promise<MembersOnS3> {
    const server = await startVersitygw(binary, { versions: true });
    const line = await faultyLine(server.endpoint);
    const keys = new Map<string, Awaited<ReturnType<Versitygw['createAccount']>>>();
    // One after the other: they are lines of one file.
    for (const account of [US, THIEF, ...ids.map(accountOf)]) keys.set(account, await server.createAccount(account));
    return new MembersOnS3(server, line, (account) => keys.get(account) ?? server.credentials, ids);
  }

  private constructor(
    server: Versitygw,
    line: FaultyLine,
    keysOf: (account: string) => Versitygw['credentials'],
    ids: readonly string[],
  ) {
    const { region, endpoint } = server;
    const direct = (account: string) => s3Client({ region, endpoint, credentials: keysOf(account) });
    this.#server = server;
    this.line = line;
    this.#us = direct(US);
    this.#thief = direct(THIEF);
    this.#members = new Map(ids.map((id) => [id, direct(accountOf(id))]));
    this.#ours = ofThisRealm(memberClient({ region, endpoint: line.endpoint, credentials: keysOf(US) }));
    this.#clients = [this.#us, this.#thief, this.#ours, ...this.#members.values()];
  }

  /** A vault of ours in a bucket of its own. */
  async vault(bucket: string): Promise<Vault> {
    await this.#us.send(new CreateBucketCommand({ Bucket: bucket }));
    return s3Vault({ client: this.#us, bucket, prefix: NETWORK, account: US });
  }

  /** A bucket of the member's own with the policy that it is told to have. */
  async open(id: string, bucket: string, { versions = true } = {}): Promise<void> {
    const client = this.#owner(id);
    await client.send(new CreateBucketCommand({ Bucket: bucket }));
    const VersioningConfiguration = { Status: 'Enabled' } as const;
    if (versions) await client.send(new PutBucketVersioningCommand({ Bucket: bucket, VersioningConfiguration }));
    await this.letIn(id, bucket);
  }

  async letIn(id: string, bucket: string): Promise<void> {
    const access = { network: NETWORK, member: id, operatorAccount: US, bucket };
    const Policy = policyForVersitygw(access, accountOf(id));
    await this.#owner(id).send(new PutBucketPolicyCommand({ Bucket: bucket, Policy }));
  }

  /** The member takes back what its policy allowed us. */
  async shutOut(id: string, bucket: string): Promise<void> {
    await this.#owner(id).send(
      new PutBucketPolicyCommand({ Bucket: bucket, Policy: everything(bucket, accountOf(id)) }),
    );
  }

  /** The member deletes its bucket, without versions, and another account makes one of that name, which lets us do anything. */
  async hijack(id: string, bucket: string): Promise<void> {
    const client = this.#owner(id);
    const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket: bucket }));
    const Objects = Contents.map(({ Key }) => ({ Key }));
    if (Objects.length > 0) await client.send(new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects } }));
    await client.send(new DeleteBucketCommand({ Bucket: bucket }));
    await this.#thief.send(new CreateBucketCommand({ Bucket: bucket }));
    await this.#thief.send(new PutBucketPolicyCommand({ Bucket: bucket, Policy: everything(bucket, THIEF, US) }));
  }

  async heldByThief(bucket: string): Promise<number> {
    return (await this.#thief.send(new ListObjectsV2Command({ Bucket: bucket }))).KeyCount ?? 0;
  }

  destinationOf(id: string): MemberDestination & { kind: 'bucket' } {
    return { kind: 'bucket', bucket: id, region: this.#server.region, account: accountOf(id) };
  }

  /** What lies at a member, as the member sees it. */
  share = (id: string, bucket: string): Vault =>
    s3Vault({ client: this.#owner(id), bucket, account: accountOf(id), prefix: memberPrefix(NETWORK, id) });

  /** As it is delivered to, over the line. Every bucket here is OVERWRITABLE, which is no fault of its owner. */
  destination(id: string, bucket: string, way: Way, vaultBucket: string): Destination {
    const source = { client: this.#ours, bucket: vaultBucket, prefix: NETWORK, account: US };
    const destination = s3Destination(
      {
        ...{ client: this.#ours, bucket, account: accountOf(id), region: this.#server.region, pace },
        ...{ prefix: memberPrefix(NETWORK, id), otherServer: true },
        ...(way === 'copies' && { source }),
        ...(way === 'parts' && { partsFrom: 1 }),
      },
      { now: () => new Date() },
    );
    const check = async () => (await destination.check()).filter(({ name }) => name !== 'OVERWRITABLE');
    return { ...destination, check };
  }

  /** By key. */
  async versions(id: string, bucket: string): Promise<Map<string, Versions>> {
    const etags = new Map<string, Map<string, string>>();
    const deleted = new Set<string>();
    const Prefix = memberPrefix(NETWORK, id);
    let at: { KeyMarker?: string | undefined; VersionIdMarker?: string | undefined } = {};
    for (let more = true; more; ) {
      const page = await this.#owner(id).send(new ListObjectVersionsCommand({ Bucket: bucket, Prefix, ...at }));
      // The last of a page is the first of the next one.
      for (const { Key = '', ETag = '', VersionId = '' } of page.Versions ?? []) {
        etags.set(Key, new Map([...(etags.get(Key) ?? []), [VersionId, ETag]]));
      }
      for (const { Key = '' } of page.DeleteMarkers ?? []) deleted.add(Key);
      more = page.IsTruncated === true;
      at = { KeyMarker: page.NextKeyMarker, VersionIdMarker: page.NextVersionIdMarker };
    }
    const keys = [...new Set([...etags.keys(), ...deleted])];
    return new Map(
      keys.map((key) => [key, { etags: [...(etags.get(key)?.values() ?? [])], deleted: deleted.has(key) }]),
    );
  }

  #owner(id: string): S3Client {
    const client = this.#members.get(id);
    if (client === undefined) throw new Error(`${id} has no account`);
    return client;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#clients) client.destroy();
    await this.line[Symbol.asyncDispose]();
    await this.#server.stop();
  }
}

/** `m3` has the account 100000000003. */
const accountOf = (id: string): string => `1${id.replace(/\D/g, '').padStart(11, '0')}`;

const everything = (bucket: string, ...accounts: string[]): string =>
  JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      {
        ...{ Effect: 'Allow', Principal: { AWS: accounts }, Action: 's3:*' },
        Resource: [`arn:aws:s3:::${bucket}`, `arn:aws:s3:::${bucket}/*`],
      },
    ],
  });
