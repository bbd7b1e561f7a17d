import type { Command } from 'commander';
import { faultOf, IS_OTHERWISE } from '../../core/delivery.ts';
import type { DeliveryEnd } from '../../vault/deliver.ts';
import { actOn } from '../../vault/members.ts';
import { loadConfig } from '../context.ts';
import { deliverNow } from '../deliver-now.ts';
import { deployedDelivery } from '../deployed-delivery.ts';
import { worstOf } from '../exit-codes.ts';
import { memberNamed, openRegistry } from '../members.ts';
import { deliveryNouns, deliveryText, EXIT_OF } from '../render/delivery.ts';
import type { Act, Outcome, Shell } from '../shell.ts';

interface Options {
  readonly member?: string;
}

export function define(command: Command, act: Act): void {
  command
    .option('--member <id>', 'this one alone; default: every member that is a backup target')
    .action(act<Options>(deliver));
}

/** Reconciles now: what the history lists, less what each member's receipts show. */
export async function deliver(shell: Shell, { member }: Options): Promise<Outcome> {
  const loaded = await loadConfig(shell);
  const registry = await openRegistry(shell, loaded);
  const only = member === undefined ? undefined : await memberNamed(registry, member);
  const deployed = await deployedDelivery(registry);
  if (only !== undefined && deployed?.serves(only) === true) {
    // What is asked about is tried with the look that starts now, and not when its next try would be. A name of its own
    // each time: what was sealed since is looked for, also where the member has the version that it had.
    if (only.state === 'degraded') await actOn(registry, only.member, { what: 'ask' });
    return started(await deployed.start(), only.member);
  }
  const { ends, damages, ...all } = await deliverNow(
    shell,
    registry,
    only && { takes: (member) => member.member === only.member, now: true },
  );
  const unreadable = only === undefined ? all.unreadable : [];
  if (deployed !== undefined && only === undefined && ends.length + unreadable.length + damages.length === 0) {
    return started(await deployed.start(), undefined);
  }
  const execution = only === undefined ? await deployed?.start() : undefined;
  const exits = [...ends.map(exitOf), ...[...unreadable, ...damages].map(() => 1 as const)];
  const exit = worstOf(exits);
  return {
    exit,
    code: codeOf(ends, unreadable.length + damages.length, exit),
    nouns: {
      ...deliveryNouns(ends, unreadable),
      ...(damages.length > 0 && { damages: damages.map(faultOf) }),
      ...(execution && { execution }),
    },
    text: [
      ...deliveryText(ends, unreadable),
      ...damages.flatMap(({ name, message, remedy }) => [`${name}: ${message}`, `  ${remedy}`]),
      ...(execution === undefined ? [] : [`Started ${execution}`]),
    ],
  };
}

/** What it comes to is told by the registry: an execution may take hours. */
const started = (execution: string, member: string | undefined): Outcome => ({
  exit: 0,
  code: 'STARTED',
  nouns: { execution, ...(member !== undefined && { member }) },
  text: [
    `Started ${execution}`,
    'Nothing is said to be delivered yet: `ledgerhold members list` tells how far each member is.',
  ],
});

const exitOf = ({ outcome, fault }: DeliveryEnd) => (IS_OTHERWISE.includes(fault?.name ?? '') ? 1 : EXIT_OF[outcome]);

function codeOf(ends: readonly DeliveryEnd[], unreadable: number, exit: number): string {
  if (unreadable > 0) return 'DAMAGED';
  if (exit === 1) return 'TAMPERED';
  if (exit !== 0) return ends.some(({ outcome }) => outcome === 'suspended') ? 'MEMBER_SUSPENDED' : 'MEMBER_FAILED';
  return ends.some(({ outcome }) => outcome === 'whole') ? 'DELIVERED' : 'NOBODY_TO_DELIVER_TO';
}
