import type { Member } from '../core/members.ts';
import { checkMember } from '../vault/check-members.ts';
import { memberStatus } from '../vault/member-status.ts';
import { actOn, readMembers, register } from '../vault/members.ts';
import { loadConfig } from './context.ts';
import { destinationMeant, memberNamed, type OpenRegistry, openRegistry } from './members.ts';
import {
  memberNouns,
  memberStatusNouns,
  memberStatusText,
  memberText,
  unreadableNouns,
  unreadableText,
} from './render/members.ts';
import type { Outcome, Shell } from './shell.ts';

type Args = readonly string[];

/** Every member, with how far it is; those of the config that were never registered, too. */
export async function membersList(shell: Shell): Promise<Outcome> {
  const { vault, loaded, clock } = await openRegistry(shell, await loadConfig(shell));
  const { members, unreadable } = await readMembers(vault);
  const known = new Set([...members.map(({ value }) => String(value.member)), ...unreadable.map(({ id }) => id)]);
  const unregistered = (loaded.config.members ?? []).map(({ id }) => String(id)).filter((id) => !known.has(id));
  const statuses = await Promise.all(members.map(({ value }) => memberStatus(vault, value)));
  const now = clock.now();
  return {
    exit: unreadable.length > 0 ? 1 : 0,
    code: unreadable.length > 0 ? 'DAMAGED' : statuses.length === 0 ? 'NO_MEMBERS' : 'MEMBERS',
    nouns: {
      vault: vault.url,
      members: [...statuses.map(memberStatusNouns), ...unreadable.map(unreadableNouns)],
      unregistered,
    },
    text: [
      ...statuses.flatMap((status) => [...memberStatusText(status, now), '']),
      ...unreadable.flatMap((each) => [...unreadableText(each), '']),
      ...unregistered.map((id) => `${id}  in the configuration, and not registered: \`ledgerhold members add ${id}\``),
      `${statuses.length} members in ${vault.url}`,
    ],
  };
}

export interface AddFlags {
  readonly folder?: string;
  readonly bucket?: string;
  readonly region?: string;
  readonly account?: string;
  readonly kmsKey?: string;
  readonly endpoint?: string;
  readonly deliver?: boolean;
}

export async function membersAdd(shell: Shell, { deliver, ...flags }: AddFlags, [id = '']: Args): Promise<Outcome> {
  const loaded = await loadConfig(shell);
  const destination = destinationMeant(loaded, id, flags);
  const registry = await openRegistry(shell, loaded);
  const registered = await register(registry, id, destination);
  const checked = await checkMember(registry, registered);
  return told(registry, deliver === true && isSound(checked) ? await asTarget(registry, checked) : checked);
}

export async function membersCheck(shell: Shell, _: object, [id]: Args): Promise<Outcome> {
  const registry = await openRegistry(shell, await loadConfig(shell));
  const all = id === undefined ? (await readMembers(registry.vault)).members.map(({ value }) => value) : undefined;
  const meant = all ?? [await memberNamed(registry, id ?? '')];
  const checked: Member[] = [];
  for (const member of meant) {
    if (member.destination === null || (all !== undefined && member.state === 'left')) continue;
    checked.push(await checkMember(registry, member));
  }
  const wrong = checked.filter((member) => !isSound(member));
  const now = registry.clock.now();
  return {
    exit: wrong.length > 0 ? 1 : 0,
    code: wrong.length > 0 ? 'CHECK_FAILED' : 'CHECKED',
    nouns: { members: checked.map(memberNouns) },
    text: checked.flatMap((member) => memberText(member, now)),
  };
}

export async function membersSuspend(shell: Shell, { reason }: { reason?: string }, [id = '']: Args): Promise<Outcome> {
  const registry = await openRegistry(shell, await loadConfig(shell));
  const { member } = await memberNamed(registry, id);
  const fault = {
    name: 'SUSPENDED',
    message: reason ?? `suspended by ${registry.by}`,
    remedy: `\`ledgerhold members resume ${member}\` goes on with what is missing.`,
  };
  return told(registry, (await actOn(registry, member, { what: 'suspend', fault })).value);
}

/** A suspension ends with a check that finds nothing; then it is a backup target again. */
export async function membersResume(shell: Shell, _: object, [id = '']: Args): Promise<Outcome> {
  const registry = await openRegistry(shell, await loadConfig(shell));
  const checked = await checkMember(registry, await memberNamed(registry, id));
  if (!isSound(checked)) return told(registry, checked);
  await actOn(registry, checked.member, { what: 'resume' });
  return told(registry, await asTarget(registry, checked));
}

export async function membersRemove(shell: Shell, _: object, [id = '']: Args): Promise<Outcome> {
  const registry = await openRegistry(shell, await loadConfig(shell));
  const { member } = await memberNamed(registry, id);
  return told(registry, (await actOn(registry, member, { what: 'leave' })).value);
}

const asTarget = async (registry: OpenRegistry, { member }: Member): Promise<Member> =>
  (await actOn(registry, member, { what: 'set', environmentBackupTarget: true })).value;

const isSound = ({ check }: Member): boolean => check !== null && check.faults.length === 0;

/** What holds of one member now; that its destination is not as it must be is no success. */
function told({ clock }: OpenRegistry, member: Member): Outcome {
  const failed = member.state !== 'left' && member.check !== null && !isSound(member);
  return {
    exit: failed ? 1 : 0,
    code: failed ? 'CHECK_FAILED' : member.state.toUpperCase(),
    nouns: { ...memberNouns(member) },
    text: memberText(member, clock.now()),
  };
}
