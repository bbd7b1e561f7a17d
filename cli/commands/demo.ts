import type { Command } from 'commander';
import { LedgerholdError } from '../../core/errors.ts';
import { VALIDATOR_NODE } from '../../demo/config.ts';
import { type ChainShown, type Show, showChain } from '../demo-chain.ts';
import { type Damage, flippedBit, reversedPair } from '../demo-damage.ts';
import { DEMO_FILES, type DemoWorld, startDemoWorld } from '../demo-world.ts';
import { damageText, demoNouns, demoText, worldText } from '../render/demo.ts';
import type { Act, Outcome, Shell } from '../shell.ts';
import { backup } from './backup.ts';
import { drillVerb } from './drill.ts';
import { plan } from './plan.ts';
import { verifyVerb } from './verify.ts';

/** The demo did not end as it does where everything works. */
export class DemoFailed extends LedgerholdError {
  override readonly name = 'DemoFailed';
  readonly kind = 'violation';
}

export function define(command: Command, act: Act): void {
  command.option('--pglite', 'without the PostgreSQL that is installed here').action(act<DemoFlags>(demo));
}

export interface DemoFlags {
  readonly pglite?: boolean;
}

/** What each part ended with, and how long it took. */
export interface Shown {
  readonly backup: Outcome;
  readonly verify: Outcome;
  readonly flipped: Damage;
  readonly reversed: Damage;
  readonly drill: Outcome;
  /** Undefined where there are no nodes for a chain. */
  readonly chain: ChainShown | undefined;
  readonly milliseconds: number;
}

/** Leaves nothing running, and in `.ledgerhold/demo` what one can go on looking at. */
export async function demo(shell: Shell, flags: DemoFlags): Promise<Outcome> {
  const began = performance.now();
  shell.note('Starting a toy Splice validator and the nodes of a chain …');
  const world = await startDemoWorld(shell, flags.pglite === true);
  try {
    for (const line of worldText(world)) shell.note(line);
    const parts = await showAll(world);
    const shown = { ...parts, milliseconds: performance.now() - began };
    return { exit: 0, code: 'DEMO_DONE', nouns: demoNouns(shown), text: demoText(shown) };
  } finally {
    await world.stop();
  }
}

async function showAll(world: DemoWorld): Promise<Omit<Shown, 'milliseconds'>> {
  const { shell, dumper } = world;
  const show = shower(shell);
  const parts = dumper === undefined ? {} : { dumper };
  await show('plan: in which order, and why', 0, () => plan(shell, { node: VALIDATOR_NODE }, parts));
  const request = { node: VALIDATOR_NODE, reason: 'manual' } as const;
  const sealed = await show('backup: capture in that order, seal', 0, () => backup(shell, request, parts));
  const proof = { vault: DEMO_FILES.vault, publicKey: [DEMO_FILES.publicKey], all: true };
  const verified = await show('verify: every byte, with the public key alone', 0, () => verifyVerb(shell, proof, []));
  const flipped = await showDamage('a copy of the vault with one bit turned over', shell, () => flippedBit(world));
  const reversed = await showDamage('a set taken in the wrong order', shell, () => reversedPair(world));
  const trial = { identity: DEMO_FILES.identity };
  const drilled = await show('drill: restore it in isolation', 0, () => drillVerb(shell, trial));
  const chain = await showChain(world, show);
  return { backup: sealed, verify: verified, flipped, reversed, drill: drilled, chain };
}

function shower(shell: Shell): Show {
  return async (title, exit, verb) => {
    shell.note(`\n— ${title}`);
    const outcome = await verb();
    for (const line of outcome.text) shell.note(`  ${line}`);
    return expected(title, exit, outcome);
  };
}

async function showDamage(title: string, shell: Shell, work: () => Promise<Damage>): Promise<Damage> {
  shell.note(`\n— ${title}`);
  const damage = await work();
  for (const line of damageText(damage)) shell.note(`  ${line}`);
  expected(title, 1, damage.found);
  return damage;
}

function expected(title: string, exit: number, outcome: Outcome): Outcome {
  if (outcome.exit === exit) return outcome;
  throw new DemoFailed(
    `"${title}" ended with ${outcome.code} (${outcome.exit}), and not with ${exit}: ${outcome.text.join(' ')}`,
    'Run it again; if it ends so again, please report it with what it printed.',
  );
}
