import { isCheckWanted, type Member, SUSPENDED_BY_HAND } from '../core/members.ts';
import { checkMember } from '../vault/check-members.ts';
import { memberStatuses } from '../vault/member-status.ts';
import { actOn, readMembers, register } from '../vault/members.ts';
import { loadConfig } from './context.ts';
import { type DeployedDelivery, deployedDelivery } from './deployed-delivery.ts';
import { type DestinationFlags, destinationMeant, memberNamed, type OpenRegistry, openRegistry } from './members.ts';
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
  const { members, unreadable: unknown } = await readMembers(vault);
  const { statuses, damaged } = await memberStatuses(
    vault,
    members.map(({ value }) => value),
  );
  const unreadable = [...unknown, ...damaged];
  const known = new Set([...members.map(({ value }) => String(value.member)), ...unreadable.map(({ id }) => id)]);
  const unregistered = (loaded.config.members ?? []).map(({ id }) => String(id)).filter((id) => !known.has(id));
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

export interface AddFlags extends DestinationFlags {
  readonly deliver?: boolean;
}

export async function membersAdd(shell: Shell, { deliver, ...flags }: AddFlags, [id = '']: Args): Promise<Outcome> {
  const loaded = await loadConfig(shell);
  const destination = destinationMeant(loaded, id, flags);
  const registry = await openRegistry(shell, loaded);
  const registered = await register(registry, id, destination);
  const deployed = await deployedDelivery(registry);
  if (deployed?.serves(registered) === true) {
    const asked = (await actOn(registry, registered.member, { what: 'ask' })).value;
    const wanted = deliver === true ? await asTarget(registry, asked) : asked;
    return askedFor(registry, wanted, await deployed.start(registered));
  }
  const checked = await checkMember(registry, registered);
  return told(registry, deliver === true && isSound(checked) ? await asTarget(registry, checked) : checked);
}

/** Only the deployed delivery can look at such a bucket: what it finds is in the registry soon. */
function askedFor({ clock }: OpenRegistry, member: Member, execution: string): Outcome {
  const text = `Its check was asked for (${execution}): \`ledgerhold members list\` tells what it finds.`;
  const nouns = { ...memberNouns(member), execution };
  return { exit: 0, code: 'CHECK_ASKED', nouns, text: [...memberText(member, clock.now()), text] };
}

export async function membersCheck(shell: Shell, _: object, [id]: Args): Promise<Outcome> {
  const registry = await openRegistry(shell, await loadConfig(shell));
  const all = id === undefined ? (await readMembers(registry.vault)).members.map(({ value }) => value) : undefined;
  const meant = all ?? [await memberNamed(registry, id ?? '')];
  const there = meant.filter(
    ({ destination, state }) => destination !== null && (id !== undefined || state !== 'left'),
  );
  const deployed = await deployedDelivery(registry);
  const theirs = there.filter((member) => deployed?.serves(member) === true);
  for (const { member } of theirs) await actOn(registry, member, { what: 'ask' });
  if (deployed !== undefined && theirs.length > 0) await deployed.start();
  const checked: Member[] = [];
  for (const member of there.filter((each) => !theirs.includes(each)))
    checked.push(await checkMember(registry, member));
  const wrong = checked.filter((member) => !isSound(member));
  const now = registry.clock.now();
  return {
    exit: wrong.length > 0 ? 1 : 0,
    code: wrong.length > 0 ? 'CHECK_FAILED' : theirs.length > 0 ? 'CHECK_ASKED' : 'CHECKED',
    nouns: { members: checked.map(memberNouns), asked: theirs.map(({ member }) => member) },
    text: [
      ...checked.flatMap((member) => memberText(member, now)),
      ...theirs.map(
        ({ member }) => `${member}: its check was asked for; \`ledgerhold members list\` tells what it finds`,
      ),
    ],
  };
}

export async function membersSuspend(shell: Shell, { reason }: { reason?: string }, [id = '']: Args): Promise<Outcome> {
  const registry = await openRegistry(shell, await loadConfig(shell));
  const { member } = await memberNamed(registry, id);
  const fault = {
    name: SUSPENDED_BY_HAND,
    message: reason ?? `suspended by ${registry.by}`,
    remedy: `\`ledgerhold members resume ${member}\` goes on with what is missing.`,
  };
  return told(registry, (await actOn(registry, member, { what: 'suspend', fault })).value);
}

/** A suspension ends with a check that finds nothing; then it is a backup target again. */
export async function membersResume(shell: Shell, _: object, [id = '']: Args): Promise<Outcome> {
  const registry = await openRegistry(shell, await loadConfig(shell));
  const member = await memberNamed(registry, id);
  const deployed = await deployedDelivery(registry);
  if (deployed?.serves(member) === true) return resumeDeployed(registry, deployed, member);
  const checked = await checkMember(registry, member);
  if (!isSound(checked)) return told(registry, checked);
  await actOn(registry, checked.member, { what: 'resume' });
  return told(registry, await asTarget(registry, checked));
}

/** Its last check must have found nothing since the fault; else one is asked for, and then it can be resumed. */
async function resumeDeployed(registry: OpenRegistry, deployed: DeployedDelivery, member: Member): Promise<Outcome> {
  if (member.state === 'suspended' && (!isSound(member) || isCheckWanted(member))) {
    const asked = (await actOn(registry, member.member, { what: 'ask' })).value;
    return { ...askedFor(registry, asked, await deployed.start(asked)), exit: 5 };
  }
  await actOn(registry, member.member, { what: 'resume' });
  const target = await asTarget(registry, member);
  await deployed.start(target);
  return told(registry, target);
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
