import { EMPTIED } from '../core/check-reports.ts';
import { LedgerholdError } from '../core/errors.ts';
import { isCheckWanted, type Member, MemberId, SUSPENDED_BY_HAND } from '../core/members.ts';
import { checkMember } from '../vault/check-members.ts';
import { actOn, readMember, readMembers, register } from '../vault/members.ts';
import { loadConfig } from './context.ts';
import { type DeployedDelivery, deployedDelivery } from './deployed-delivery.ts';
import { exitCodeOf, worstOf } from './exit-codes.ts';
import { refuseFolder } from './member-folders.ts';
import { lookAtMembers } from './member-look.ts';
import { type DestinationFlags, destinationMeant, memberNamed, type OpenRegistry, openRegistry } from './members.ts';
import { EXIT_OF } from './render/delivery.ts';
import {
  memberNouns,
  memberStatusNouns,
  memberStatusText,
  memberText,
  unreadableNouns,
  unreadableText,
} from './render/members.ts';
import type { Outcome, Shell } from './shell.ts';
import { UsageError } from './usage-error.ts';

type Args = readonly string[];

/** Every member, with how far it is; those of the config that were never registered, too. */
export async function membersList(shell: Shell): Promise<Outcome> {
  const { vault, loaded, clock } = await openRegistry(shell, await loadConfig(shell));
  const { statuses, unreadable, lost } = await lookAtMembers(vault);
  const isDamaged = unreadable.length > 0 || lost.length > 0;
  const known = new Set([...statuses.map(({ member }) => String(member.member)), ...unreadable.map(({ id }) => id)]);
  const unregistered = (loaded.config.members ?? []).map(({ id }) => String(id)).filter((id) => !known.has(id));
  const now = clock.now();
  return {
    exit: isDamaged ? 1 : 0,
    code: isDamaged ? 'DAMAGED' : statuses.length === 0 ? 'NO_MEMBERS' : 'MEMBERS',
    nouns: {
      vault: vault.url,
      members: [...statuses.map(memberStatusNouns), ...unreadable.map(unreadableNouns)],
      unregistered,
    },
    text: [
      ...statuses.flatMap((status) => [...memberStatusText(status, now), '']),
      ...unreadable.flatMap((each) => [...unreadableText(each), '']),
      ...lost,
      ...unregistered.map((id) => `${id}  in the configuration, and not registered: \`ledgerhold members add ${id}\``),
      `${statuses.length} members in ${vault.url}`,
    ],
  };
}

export interface AddFlags extends DestinationFlags {
  readonly deliver?: boolean;
  readonly again?: boolean;
  readonly chainFiles?: boolean;
}

export async function membersAdd(shell: Shell, asked: AddFlags, [id = '']: Args): Promise<Outcome> {
  const { deliver, again, chainFiles, ...flags } = asked;
  const loaded = await loadConfig(shell);
  const registry = await openRegistry(shell, loaded);
  // The same again needs no more than the name.
  const same = again === true && Object.keys(flags).length === 0 && MemberId.safeParse(id).success;
  const known = same ? (await readMember(registry.vault, id))?.value.destination : undefined;
  const destination = known ?? destinationMeant(loaded, id, flags);
  if (destination.kind === 'folder') await refuseFolder(registry, id, destination.path);
  const before = await register(registry, id, destination, again);
  const registered = chainFiles === undefined ? before : await taking(registry, before, chainFiles);
  const deployed = await deployedDelivery(registry);
  if (deployed?.serves(registered) === true) {
    const asked = (await actOn(registry, registered.member, { what: 'ask' })).value;
    const wanted = deliver === true ? await asTarget(registry, asked) : asked;
    return askedFor(registry, wanted, await deployed.start(wanted));
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
  const all = id === undefined ? await readMembers(registry.vault) : undefined;
  const meant = all?.members.map(({ value }) => value) ?? [await memberNamed(registry, id ?? '')];
  const there = meant.filter(
    ({ destination, state }) => destination !== null && (id !== undefined || state !== 'left'),
  );
  const deployed = await deployedDelivery(registry);
  const theirs = there.filter((member) => deployed?.serves(member) === true);
  for (const { member } of theirs) await actOn(registry, member, { what: 'ask' });
  if (deployed !== undefined && theirs.length > 0) await deployed.start();
  const ours = there.filter((each) => !theirs.includes(each));
  const { checked, failed } = await checkEach(registry, ours);
  if (id !== undefined) for (const { fault } of failed) throw fault;
  const unchecked = [...failed, ...(all?.unreadable ?? [])];
  const wrong = checked.some((member) => !isSound(member));
  const now = registry.clock.now();
  return {
    exit: worstOf([wrong ? 1 : 0, ...unchecked.map(({ fault }) => exitCodeOf(fault))]),
    code: wrong ? 'CHECK_FAILED' : unchecked.length > 0 ? 'NOT_CHECKED' : theirs.length > 0 ? 'CHECK_ASKED' : 'CHECKED',
    nouns: {
      ...{ members: checked.map(memberNouns), asked: theirs.map(({ member }) => member) },
      unchecked: unchecked.map(({ id: member, fault: { name, message, remedy } }) => ({
        ...{ member, error: { name, message, remedy } },
      })),
    },
    text: [
      ...checked.flatMap((member) => memberText(member, now)),
      ...unchecked.flatMap(({ id: member, fault }) => [`${member}: ${fault.message}`, `  ${fault.remedy}`]),
      ...theirs.map(
        ({ member }) => `${member}: its check was asked for; \`ledgerhold members list\` tells what it finds`,
      ),
    ],
  };
}

/** One that is not reached is told, and the others are looked at all the same. */
async function checkEach(registry: OpenRegistry, members: readonly Member[]) {
  const checked: Member[] = [];
  const failed: { readonly id: string; readonly fault: LedgerholdError }[] = [];
  for (const member of members) {
    try {
      checked.push(await checkMember(registry, member));
    } catch (error) {
      if (!(error instanceof LedgerholdError)) throw error;
      failed.push({ id: member.member, fault: error });
    }
  }
  return { checked, failed };
}

export async function membersSuspend(shell: Shell, { reason }: { reason?: string }, [id = '']: Args): Promise<Outcome> {
  // It is kept for good, and printed wherever somebody looks.
  if (reason !== undefined && !/^[^\p{Cc}]{1,300}$/u.test(reason)) {
    throw new UsageError('--reason is empty, too long or more than a line', 'Give up to 300 characters in one line.');
  }
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

/**
 * Its last check must have found nothing since the fault; else one is asked for, and then it is to be resumed again. What
 * no check takes back is told instead, with its remedy.
 */
async function resumeDeployed(registry: OpenRegistry, deployed: DeployedDelivery, member: Member): Promise<Outcome> {
  if (member.state === 'suspended' && member.check?.faults.some(({ name }) => name === EMPTIED) === true) {
    return { ...told(registry, member), exit: EXIT_OF.suspended, code: 'MEMBER_SUSPENDED' };
  }
  if (member.state === 'suspended' && (!isSound(member) || isCheckWanted(member))) {
    const asked = (await actOn(registry, member.member, { what: 'ask' })).value;
    const outcome = askedFor(registry, asked, await deployed.start(asked));
    const remedy =
      `Once \`ledgerhold members list\` shows that the check has found nothing, run \`ledgerhold members resume ` +
      `${asked.member}\` again: until then it stays suspended.`;
    return { ...outcome, exit: 5, nouns: { ...outcome.nouns, remedy }, text: [...outcome.text, remedy] };
  }
  await actOn(registry, member.member, { what: 'resume' });
  const target = await asTarget(registry, member);
  await deployed.start(target);
  return told(registry, target);
}

const taking = async (registry: OpenRegistry, { member }: Member, chainFiles: boolean): Promise<Member> =>
  (await actOn(registry, member, { what: 'set', chainFiles })).value;

export async function membersRemove(shell: Shell, _: object, [id = '']: Args): Promise<Outcome> {
  const registry = await openRegistry(shell, await loadConfig(shell));
  const { member } = await memberNamed(registry, id);
  return told(registry, (await actOn(registry, member, { what: 'leave' })).value);
}

const asTarget = async (registry: OpenRegistry, { member }: Member): Promise<Member> =>
  (await actOn(registry, member, { what: 'set', environmentBackupTarget: true })).value;

const isSound = ({ check }: Member): boolean => check !== null && check.faults.length === 0;

/** What holds of one member now; that its destination is not as it must be is no success. */
export function told({ clock }: OpenRegistry, member: Member): Outcome {
  const failed = member.state !== 'left' && member.check !== null && !isSound(member);
  return {
    exit: failed ? 1 : 0,
    code: failed ? 'CHECK_FAILED' : member.state.toUpperCase(),
    nouns: { ...memberNouns(member) },
    text: memberText(member, clock.now()),
  };
}
