import type { Deliverable } from '../core/delivery.ts';
import type { LedgerholdError } from '../core/errors.ts';
import type { Member } from '../core/members.ts';
import { type DeliverPorts, type DeliverWish, type DeliveryEnd, deliverAll } from '../vault/deliver.ts';
import { isDamage } from '../vault/deliverables.ts';
import { readMembers, type UnreadableMember } from '../vault/members.ts';
import { openSigner } from './context.ts';
import { deployedDelivery } from './deployed-delivery.ts';
import type { OpenRegistry } from './members.ts';
import { bytesText } from './render/units.ts';
import type { Shell } from './shell.ts';

export interface DeliveredNow {
  readonly ends: readonly DeliveryEnd[];
  readonly unreadable: readonly UnreadableMember[];
  /** Of a chain, or of receipts: all else was delivered. */
  readonly damages: readonly LedgerholdError[];
}

export interface ToDeliver extends Pick<DeliverPorts, 'onArrived'>, Pick<DeliverWish, 'now'> {
  /** Asked once for each that this machine delivers to. Default: all of them. */
  readonly takes?: (member: Member) => boolean;
}

/** One delivery, told as it goes. Rejects with what is no damage, once all is done. */
export async function deliverNow(
  { note, signal }: Pick<Shell, 'note' | 'signal'>,
  registry: OpenRegistry,
  { takes = () => true, now = false, ...told }: ToDeliver = {},
): Promise<DeliveredNow> {
  const signer = await openSigner(registry.loaded);
  const { members, unreadable } = await readMembers(registry.vault);
  const meant = (await ownOf(registry, members)).filter(takes);
  const ports = { ...registry, signer, signal, onObject: teller(note), ...told };
  const { ends, failures } = await deliverAll(ports, meant, { now });
  const others = failures.filter((error) => !isDamage(error));
  if (others.length > 0) throw others[0];
  return { ends, unreadable, damages: failures.filter(isDamage) };
}

/** Those that this machine delivers to: where the network is deployed, only what no deployed delivery can. */
export async function ownOf(registry: OpenRegistry, members: readonly { readonly value: Member }[]): Promise<Member[]> {
  const deployed = await deployedDelivery(registry);
  return members.map(({ value }) => value).filter((member) => deployed?.serves(member) !== true);
}

/** Seldom enough to be read, often enough to show that it gets on. */
const TELL_EVERY_MS = 5_000;

function teller(note: Shell['note']): (member: string, item: Deliverable) => void {
  const sums = new Map<string, { objects: number; bytes: number; told: number }>();
  return (member, { size }) => {
    const sum = sums.get(member) ?? { objects: 0, bytes: 0, told: performance.now() };
    sums.set(member, sum);
    sum.objects += 1;
    sum.bytes += size;
    if (performance.now() - sum.told < TELL_EVERY_MS) return;
    sum.told = performance.now();
    note(`${member}: ${sum.objects} objects, ${bytesText(sum.bytes)} delivered so far`);
  };
}
