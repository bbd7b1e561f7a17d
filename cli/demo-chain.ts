import { homedir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { ConsensusStalled } from '../core/chain.ts';
import { CHAIN_NODE } from '../demo/config.ts';
import { startProgram } from '../io/postgres/program.ts';
import { findClient } from './chain-client.ts';
import { ClientMissing } from './chain-restore-errors.ts';
import { backup } from './commands/backup.ts';
import { drillVerb } from './commands/drill.ts';
import { verifyVerb } from './commands/verify.ts';
import { type MembersShown, showMembers, showMembersJoin } from './demo-members.ts';
import { DEMO_FILES, type DemoWorld } from './demo-world.ts';
import { exitCodeOf } from './exit-codes.ts';
import { noChainText, noGethText } from './render/demo.ts';
import { failureNouns, failureText } from './render/failure.ts';
import type { Outcome, Shell } from './shell.ts';

/** Shows what a verb says, and refuses what it should not have ended with. */
export type Show = (title: string, exit: number, verb: () => Promise<Outcome>) => Promise<Outcome>;

/** What each part of the chain's ended with. */
export interface ChainShown {
  readonly first: Outcome;
  readonly stalled: Outcome;
  readonly second: Outcome;
  readonly members: MembersShown;
  readonly verify: Outcome;
  /** Undefined where there is no geth. */
  readonly drill: Outcome | undefined;
}

/** More than one file, and soon made. */
const HEIGHTS = { first: 100, second: 150 };

/** Undefined, and told, where there are no nodes for a chain. */
export async function showChain({ shell, chain }: DemoWorld, show: Show): Promise<ChainShown | undefined> {
  if (chain === undefined) {
    for (const line of noChainText()) shell.note(line);
    return undefined;
  }
  const run = (slot: string) => backup(shell, { node: CHAIN_NODE, slot, reason: 'manual' });
  await chain.grow(HEIGHTS.first);
  const first = await show('chain: agree on a block, export, seal', 0, () => run('demo-1'));
  await showMembersJoin(shell, show);
  const [, last] = chain.validators;
  if (last === undefined) throw new TypeError('the demo’s chain has two validators');
  await chain.stopNode(last.name);
  await chain.grow(HEIGHTS.second);
  const stalled = await show(`chain: the same with ${last.name} stopped`, 4, () => stall(() => run('demo-2')));
  await chain.startNode(last.name);
  const second = await show(`chain: the same slot again, ${last.name} being back`, 0, () => run('demo-2'));
  const members = await showMembers(shell, show);
  const proof = { vault: DEMO_FILES.vault, publicKey: [DEMO_FILES.publicKey], identity: DEMO_FILES.identity };
  const verify = await show('verify --deep: every position, every block', 0, () =>
    verifyVerb(shell, { ...proof, all: true, deep: true }, []),
  );
  return { first, stalled, second, members, verify, drill: await showDrill(shell, show) };
}

/** A run that stalls is what is to be shown; anything else that it may end with is not. */
async function stall(run: () => Promise<Outcome>): Promise<Outcome> {
  try {
    return await run();
  } catch (error) {
    if (!(error instanceof ConsensusStalled)) throw error;
    const [exit, { code, ...nouns }] = [exitCodeOf(error), failureNouns(error)];
    return { exit, code, nouns, text: failureText(error, exit) };
  }
}

async function showDrill(shell: Shell, show: Show): Promise<Outcome | undefined> {
  const binary = await findGeth(shell);
  if (binary !== undefined) {
    return show('drill: geth executes every block, and comes to the same state', 0, () =>
      drillVerb(shell, { node: CHAIN_NODE, binary }),
    );
  }
  for (const line of noGethText()) shell.note(line);
  return undefined;
}

/** On PATH, or where `scripts/install-geth.sh` puts it; only one that knows the chain's rules. */
async function findGeth({ env }: Pick<Shell, 'env'>): Promise<string | undefined> {
  const built = join(env['LEDGERHOLD_CACHE'] ?? join(homedir(), '.cache', 'ledgerhold'), 'bin', 'geth-1.17.8');
  for (const program of ['geth', built]) {
    const found = await findClient(program, env).catch((error: unknown) => {
      if (error instanceof ClientMissing) return undefined;
      throw error;
    });
    if (found !== undefined && (await knowsCancun(found, env))) return found;
  }
  return undefined;
}

/** GoQuorum's program is called geth, too; its versions are of before. */
async function knowsCancun(geth: string, environment: NodeJS.ProcessEnv): Promise<boolean> {
  const program = startProgram({ words: [geth, '--version'], environment });
  const said = await text(program.stdout);
  await program.ended;
  const [, major = '0', minor = '0'] = / version (\d+)\.(\d+)/.exec(said) ?? [];
  return Number(major) > 1 || Number(minor) >= 14;
}
