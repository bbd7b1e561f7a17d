import { takesFiles } from '../../core/delivery.ts';
import type { BucketDestination } from '../../core/destination.ts';
import {
  ApiRefused,
  type AskedDestination,
  type MemberView,
  type ReadBackView,
  type RouteId,
} from '../../core/member-api.ts';
import { isCheckWanted, type Member, type MemberAct, SUSPENDED_BY_HAND } from '../../core/members.ts';
import type { ReadBack } from '../../core/read-back.ts';
import { chainHeads, memberStatus } from '../../vault/member-status.ts';
import { actOn, type RegistryPorts, readMember, refuseHaste, register } from '../../vault/members.ts';
import { chainsKnown } from '../../vault/sets.ts';
import type { Act, ApiPorts, Call } from './call.ts';

type MemberRoute = Extract<RouteId, 'getMember' | 'putDestination' | 'deleteDestination' | 'patchMember' | 'postCheck'>;

/** What a member does with its own entry of the registry. */
export const memberActs: { readonly [Id in MemberRoute]: Act<Id> } = {
  getMember: async ({ id }, { vault, journal }) => {
    const member = await registered(vault, id);
    // Of a chain that is damaged it is not known how far it is; of the others it is.
    const heads = await chainHeads(vault, (node, error) => journal.failure('unreadable', { node }, error));
    const status = await memberStatus(vault, member, heads);
    const { totals, lastReceiptAt, chains, progress, estimateSeconds } = status;
    const readBack = status.readBack === null ? null : readBackViewOf(status.readBack);
    return { ...viewOf(member), totals, lastReceiptAt, behind: [...chains], progress, estimateSeconds, readBack };
  },
  putDestination: async (call, ports) => {
    const destination = destinationOf(call.body, call.account, ports);
    const registry = await registryOf(call, ports);
    return viewOf(await register({ ...registry, permit: refuseSuspended }, call.id, destination, call.body.again));
  },
  deleteDestination: async ({ id, by }, { vault, clock, network }) => {
    await registered(vault, id);
    // Never too often: each time but the first follows a registration.
    return viewOf((await actOn({ vault, clock, network, by }, id, { what: 'leave', byItself: true })).value);
  },
  patchMember: async (call, ports) => {
    const { environmentBackupTarget, chains, chainFiles } = call.body;
    await registered(ports.vault, call.id);
    if (chains !== undefined && chains !== null) await refuseUnknownChains(chains, ports);
    return acted(call, ports, {
      what: 'set',
      ...(environmentBackupTarget !== undefined && { environmentBackupTarget }),
      ...(chains !== undefined && { chains }),
      ...(chainFiles !== undefined && { chainFiles }),
    });
  },
  postCheck: async (call, ports) => {
    await registered(ports.vault, call.id);
    return acted(call, ports, { what: 'ask' });
  },
};

async function registered(vault: ApiPorts['vault'], id: string): Promise<Member> {
  const found = await readMember(vault, id);
  if (found !== undefined) return found.value;
  throw new ApiRefused('NotRegistered', `${id} is not registered yet`, `PUT /members/${id}/destination registers it.`);
}

async function registryOf({ id, by }: Call, { vault, clock, network }: ApiPorts): Promise<RegistryPorts> {
  const registry = { vault, clock, network, by };
  await refuseHaste(registry, id);
  return registry;
}

async function acted(call: Call, ports: ApiPorts, act: MemberAct): Promise<MemberView> {
  return viewOf((await actOn(await registryOf(call, ports), call.id, act)).value);
}

function viewOf(member: Member): MemberView {
  const { member: id, n, at, by, state, destination, environmentBackupTarget, targetSince, chains } = member;
  const { check, fault, retry } = member;
  const standing = { member: id, n, at, by, state, destination, environmentBackupTarget, targetSince, chains };
  return { ...standing, chainFiles: takesFiles(member), check, checkWanted: isCheckWanted(member), fault, retry };
}

const readBackViewOf = ({ seq, at, day, whole, objects, bytes, unread, fault, proven }: ReadBack): ReadBackView => ({
  ...{ seq, at, day, whole, objects, bytes, unread, fault, proven },
});

/** A new registration ends a suspension, but not what the operator has spoken. Throws `ApiRefused`. */
function refuseSuspended(before: Member | undefined): void {
  if (before?.state === 'left' && before.mayReturn !== true) {
    const remedy = 'Ask the operator, who alone can take it in again.';
    const what = `${before.member} was taken out of the network, or left it while suspended`;
    throw new ApiRefused('SuspendedByOperator', what, remedy);
  }
  if (before?.state !== 'suspended' || before.fault?.name !== SUSPENDED_BY_HAND) return;
  throw new ApiRefused('SuspendedByOperator', before.fault.message, 'Ask the operator, who alone can end it.');
}

/** `<name>-<account>-<region>-an`: a bucket name that nobody else can ever take. */
const REGIONAL_NAME = /-(\d{12})-([a-z]{2}(?:-[a-z]+)+-\d)-an$/;

/** The bucket of the caller's own account. Throws `ApiRefused`. */
function destinationOf(asked: AskedDestination, account: string, { vaultBucket }: ApiPorts): BucketDestination {
  const { bucket, region, kmsKey } = asked;
  const [, ofName, regionOfName] = REGIONAL_NAME.exec(bucket) ?? [];
  if (ofName !== undefined && (ofName !== account || regionOfName !== region)) {
    const remedy = 'Correct the name or the Region, or call with the account that owns the bucket.';
    throw new ApiRefused('NameElsewhere', `${bucket} is of ${ofName} in ${regionOfName} by its name`, remedy);
  }
  const [, , , regionOfKey, ofKey] = kmsKey?.split(':') ?? [];
  if (kmsKey !== undefined && (ofKey !== account || regionOfKey !== region)) {
    const remedy = 'Name a key of your own account, in the Region of the bucket.';
    throw new ApiRefused('KeyElsewhere', `${kmsKey} is not of ${account} in ${region}`, remedy);
  }
  if (bucket === vaultBucket) {
    throw new ApiRefused('VaultItself', `${bucket} is the vault’s own bucket`, 'Name a bucket of the member’s.');
  }
  return { kind: 'bucket', bucket, region, account, ...(kmsKey !== undefined && { kmsKey }) };
}

async function refuseUnknownChains(wanted: readonly string[], { vault, chains }: ApiPorts): Promise<void> {
  const known = await chainsKnown(vault, Object.keys(chains));
  const unknown = wanted.find((name) => !known.includes(name));
  if (unknown === undefined) return;
  throw new ApiRefused('NoSuchChain', `the network has no chain ${unknown}`, 'GET the member: `behind` names them.');
}
