import {
  CreateBucketCommand,
  PutBucketPolicyCommand,
  PutBucketVersioningCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { memberClient, s3Client } from '../../aws/s3-client.ts';
import { s3Destination } from '../../aws/s3-destination.ts';
import { s3Vault } from '../../aws/s3-vault.ts';
import type { Destination } from '../../core/delivery.ts';
import { memberPrefix } from '../../core/names.ts';
import type { Vault } from '../../core/vault.ts';
import { startVersitygw } from './versitygw.ts';
import { policyForVersitygw } from './versitygw-policy.ts';

export const US = '999999999999';
export const MEMBERS = { 'bank-a': '111111111111', 'bank-b': '222222222222', 'bank-c': '333333333333' } as const;
export type MemberName = keyof typeof MEMBERS;

/** A bucket of one party, and that party's way to all buckets. */
export interface Party {
  readonly account: string;
  readonly bucket: string;
  readonly client: S3Client;
}

interface Kind {
  readonly copies: boolean;
  /** By default what this server is. */
  readonly otherServer?: boolean;
}

/** Ours and three members, each with a bucket with versions, on one server that enforces policies across accounts. */
export async function fourParties(binary: string) {
  const server = await startVersitygw(binary, { versions: true });
  const clients: S3Client[] = [];
  const clientOf = <C extends S3Client>(client: C): C => {
    clients.push(client);
    return client;
  };
  const party = async (account: string, bucket: string): Promise<Party> => {
    const credentials = await server.createAccount(account);
    const client = clientOf(s3Client({ ...server, credentials }));
    await client.send(new CreateBucketCommand({ Bucket: bucket }));
    const VersioningConfiguration = { Status: 'Enabled' } as const;
    await client.send(new PutBucketVersioningCommand({ Bucket: bucket, VersioningConfiguration }));
    return { account, bucket, client };
  };
  const us = await party(US, 'vault');
  const members = {} as Record<MemberName, Party>;
  for (const member of Object.keys(MEMBERS) as MemberName[]) {
    const made = await party(MEMBERS[member], member);
    const access = { network: 'acme', member, operatorAccount: US, bucket: made.bucket };
    const Policy = policyForVersitygw(access, made.account);
    await made.client.send(new PutBucketPolicyCommand({ Bucket: made.bucket, Policy }));
    members[member] = made;
  }
  const ours = clientOf(memberClient({ ...server, credentials: await keysOf(us.client) }));
  const source = { client: us.client, bucket: us.bucket, prefix: 'acme', account: US };
  const vaultOf = ({ client, bucket, account }: Party, prefix: string): Vault =>
    s3Vault({ client, bucket, account, prefix });
  return {
    ...{ us, members, ours },
    vault: s3Vault(source),
    /** What lies at a member, as the member sees it. */
    share: (member: MemberName) => vaultOf(members[member], memberPrefix('acme', member)),
    destination: (member: MemberName, { copies, otherServer = true }: Kind, of: Partial<Party> = {}): Destination =>
      s3Destination(
        {
          ...{ client: ours, account: MEMBERS[member], bucket: members[member].bucket, region: server.region, ...of },
          ...{ prefix: memberPrefix('acme', member), otherServer, ...(copies && { source }) },
        },
        { now: () => new Date() },
      ),
    stop: async () => {
      for (const client of clients) client.destroy();
      await server.stop();
    },
  };
}

const keysOf = (client: S3Client) => client.config.credentials();

export type FourParties = Awaited<ReturnType<typeof fourParties>>;
