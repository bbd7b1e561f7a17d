import { hostname, userInfo } from 'node:os';
import * as z from 'zod';
import type { Config } from '../config/schema.ts';
import { MemberDestination } from '../core/destination.ts';
import { anotherOwner, refusing, withoutRole } from '../core/member-destinations.ts';
import { deliveryRoleArn } from '../core/member-policy.ts';
import { type Member, MemberId } from '../core/members.ts';
import type { Clock } from '../core/ports.ts';
import type { Vault } from '../core/vault.ts';
import { folderDestination } from '../local/folder-destination.ts';
import type { CheckPorts } from '../vault/check-members.ts';
import { claimVaultFormat } from '../vault/format.ts';
import { readMember } from '../vault/members.ts';
import type { Loaded } from './context.ts';
import type { Shell } from './shell.ts';
import { UsageError } from './usage-error.ts';
import { openVault } from './vaults.ts';

/** The registry of the config's vault, who acts on it here, and the way to the members' stores. */
export interface OpenRegistry extends CheckPorts {
  readonly loaded: Loaded;
  readonly vault: Vault;
}

export async function openRegistry(
  { clock, signal }: Pick<Shell, 'clock' | 'signal'>,
  loaded: Loaded,
): Promise<OpenRegistry> {
  const { config, path } = loaded;
  const vault = await openVault(config.vault, path);
  await claimVaultFormat(vault, config.network);
  return {
    ...{ loaded, vault, clock, signal, network: config.network, destinationOf: await destinationsOf(loaded, clock) },
    by: whoActs(),
  };
}

/** Whoever works on this machine; in a container often a number that has no name. */
export const whoActs = (info: typeof userInfo = userInfo): string => `${nameOf(info)}@${hostname()}`;

function nameOf(info: typeof userInfo): string {
  try {
    return info().username;
  } catch (error) {
    const uid = process.getuid?.();
    // Windows has no numbers: there it is another failure.
    if (uid === undefined) throw error;
    return `uid-${uid}`;
  }
}

/** How a destination is opened: without a call. */
export async function destinationsOf(
  { config }: Pick<Loaded, 'config'>,
  clock: Clock,
): Promise<OpenRegistry['destinationOf']> {
  // Loaded here: folders need nothing of it.
  const { openS3Destination } = await import('../aws/open.ts');
  const { s3 } = config.vault;
  return ({ network, member, destination, wasSound }) => {
    if (destination === null) throw new UsageError(`${member} has no destination`, 'Register one: `members add`.');
    if (destination.kind === 'folder') return folderDestination(destination.path, network, member, { wasSound });
    const listed = config.members?.find(({ id }) => String(id) === member);
    if (listed !== undefined && 'account' in listed && listed.account !== destination.account) {
      return refusing(`the destination of ${member}`, anotherOwner(member, destination.account));
    }
    const address = { destination, network, member, wasSound };
    if (destination.endpoint !== undefined) return openS3Destination(address, clock);
    const operatorAccount = operatorAccountOf(config);
    if (operatorAccount === undefined) return withoutRole(member);
    // Only S3 itself copies on the condition that the key is free; to any other server the bytes are sent.
    const copied = s3 !== undefined && s3.endpoint === undefined ? s3 : undefined;
    // Which key the vault's bucket has stands nowhere here: the role's own policy names it.
    const source = copied && { ...copied, kmsKey: `arn:aws:kms:*:${operatorAccount}:key/*` };
    const roleArn = deliveryRoleArn({ network, operatorAccount });
    return openS3Destination({ ...address, roleArn, ...(source && { source }) }, clock);
  };
}

/** Where the delivery role is that members' buckets let in: where the network is deployed, or else its vault is on AWS. */
export const operatorAccountOf = ({ aws, vault: { s3 } }: Config): string | undefined =>
  aws?.account ?? (s3?.endpoint === undefined ? s3?.account : undefined);

/** The member as the vault has it. Rejects with `UsageError`. */
export async function memberNamed({ vault, loaded }: OpenRegistry, id: string): Promise<Member> {
  const found = MemberId.safeParse(id).success ? await readMember(vault, id) : undefined;
  if (found !== undefined) return found.value;
  const listed = loaded.config.members?.some((each) => each.id === id) === true;
  throw new UsageError(
    `${vault.url} has no member ${id}`,
    listed ? `Register it: \`ledgerhold members add ${id}\`.` : 'See `ledgerhold members list`.',
  );
}

/** What `members add` takes of a destination. */
export interface DestinationFlags {
  readonly folder?: string;
  readonly bucket?: string;
  readonly region?: string;
  readonly account?: string;
  readonly kmsKey?: string;
  readonly endpoint?: string;
}

/** What a command line, or else the config, says of a member's destination. Rejects with `UsageError`. */
export function destinationMeant({ config, path }: Loaded, id: string, flags: DestinationFlags): MemberDestination {
  if (!MemberId.safeParse(id).success) {
    throw new UsageError(
      `"${id}" cannot be the name of a member`,
      'Use lower-case letters, digits and hyphens, 40 at most.',
    );
  }
  const ofBucket = ['bucket', 'region', 'account', 'kmsKey', 'endpoint'] as const;
  const other = ofBucket.find((flag) => flags[flag] !== undefined);
  if (flags.folder !== undefined && other !== undefined) {
    const flag = other === 'kmsKey' ? 'kms-key' : other;
    const remedy = 'Give the folder, or what is said of the bucket that the files are to go to.';
    throw new UsageError(`--folder and --${flag} are given together`, remedy);
  }
  if (flags.folder === '') throw new UsageError('--folder is empty', 'Name the folder that the files are to go to.');
  if (flags.endpoint !== undefined) refuseEndpoint(flags.endpoint);
  const listed = config.members?.find((each) => each.id === id);
  const { folder, bucket, region, account, kmsKey, endpoint } = { ...listed, ...flags };
  const meant = flags.bucket === undefined ? (flags.folder ?? folder) : undefined;
  if (meant !== undefined && flags.bucket === undefined) return { kind: 'folder', path: path(meant) };
  if (bucket === undefined || region === undefined || account === undefined) {
    throw new UsageError(
      `it is not said where the files of ${id} are to go`,
      'Give --folder, or --bucket with --region and --account, or list the member in the configuration.',
    );
  }
  if (listed !== undefined && 'account' in listed && listed.account !== account) {
    throw new UsageError(
      `${id} is account ${listed.account} in the configuration, and not ${account}`,
      'Correct one of them: files go to the account that is on the list, and to no other.',
    );
  }
  const said = { kind: 'bucket', bucket, region, account, ...(kmsKey && { kmsKey }), ...(endpoint && { endpoint }) };
  const { data, error } = MemberDestination.safeParse(said);
  if (data !== undefined) return data;
  throw new UsageError(`${id} cannot have this bucket: ${z.prettifyError(error)}`, 'Correct it.');
}

/** Throws `UsageError`. What is more than a server's address would be kept in the registry, a password included. */
function refuseEndpoint(endpoint: string): void {
  const url = URL.parse(endpoint);
  const isServer = url !== null && /^https?:$/.test(url.protocol) && `${url.origin}/` === url.href;
  if (isServer) return;
  throw new UsageError(
    '--endpoint is not the address of a server: http or https, without user, password and path',
    'Write it like https://s3.example.com:9000.',
  );
}
