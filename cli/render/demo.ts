import type { Finding } from '../../core/proof.ts';
import { ANVIL_PACKAGE } from '../../demo/anvil.ts';
import { CHAIN_NODE } from '../../demo/config.ts';
import type { SetReport } from '../../vault/verify.ts';
import type { Shown } from '../commands/demo.ts';
import type { ChainShown } from '../demo-chain.ts';
import type { Damage } from '../demo-damage.ts';
import { shareOf } from '../demo-members.ts';
import { DEMO_FILES, DEMO_FOLDER, type DemoWorld } from '../demo-world.ts';
import { bytesText, measuredText, table } from './units.ts';

export function worldText({ network: { engine, who, oauth, endpoint }, chain }: DemoWorld): string[] {
  const databases =
    engine.kind === 'postgres'
      ? `PostgreSQL ${engine.server.version} of its own, port ${engine.server.port}: two databases at work`
      : 'PGlite, in this process, with plain dumps: no PostgreSQL of this machine is used';
  return [
    ...table([
      ['  databases', databases],
      ['  participant', who.id],
      ['  validator', `${endpoint.url} (a stand-in that answers as Splice’s API says)`],
      ['  OAuth2', `${oauth.issuer} (a stand-in for an identity provider)`],
      ['  chain', chain === undefined ? NO_CHAIN : nodesText(chain)],
    ]),
    '  The validator is a toy. What backs it up, proves and restores it is what you would run.',
  ];
}

const NO_CHAIN = `left out: npm has not brought ${ANVIL_PACKAGE} for this machine`;

const nodesText = ({ monitor, validators }: NonNullable<DemoWorld['chain']>): string => {
  const nodes = [monitor, ...validators].map(({ name, url }) => `${name} ${url}`).join(', ');
  return `${nodes} (real nodes, anvil; each makes the same blocks, and no consensus is between them)`;
};

export const noChainText = (): string[] => [
  '\n— chain',
  `  ${NO_CHAIN}. It is a development package: run npm ci in a checkout of ledgerhold.`,
];

export const noGethText = (): string[] => [
  '\n— drill of the chain',
  '  not shown: there is no geth of 1.14 or later on PATH. The files are proved, block by block; nobody has executed',
  '  them anew. With a geth at hand:',
  `    npx ledgerhold drill --node ${CHAIN_NODE} --config ${DEMO_FILES.config} --binary GETH`,
];

export const damageText = ({ what, found }: Damage): string[] => [
  `${what}:`,
  ...violationsOf(found).map((text) => `  found: ${text}`),
];

/** What `verify` holds against sets and vault. */
function violationsOf({ nouns }: Damage['found']): string[] {
  const { sets, findings } = nouns as { sets: readonly SetReport[]; findings: readonly Finding[] };
  const all = [...findings, ...sets.flatMap((set) => set.findings)];
  return all.filter(({ level }) => level === 'violation').map(({ text }) => text);
}

export function demoNouns({
  backup,
  verify,
  flipped,
  reversed,
  drill,
  chain,
  milliseconds,
}: Shown): Record<string, unknown> {
  return {
    ...{ backup: backup.nouns, verify: verify.nouns, drill: drill.nouns },
    flipped: { what: flipped.what, violations: violationsOf(flipped.found) },
    reversed: { what: reversed.what, violations: violationsOf(reversed.found) },
    chain: chain === undefined ? null : chainNouns(chain),
    ...{ files: DEMO_FILES, milliseconds: Math.round(milliseconds) },
  };
}

const chainNouns = ({ first, stalled, second, members, verify, drill }: ChainShown): Record<string, unknown> => ({
  ...{ first: first.nouns, stalled: stalled.nouns, second: second.nouns, verify: verify.nouns },
  drill: drill?.nouns ?? null,
  members: {
    ...{ away: members.away.nouns, whole: members.whole.nouns },
    verified: Object.fromEntries(Object.entries(members.verified).map(([member, { code }]) => [member, code])),
  },
});

export function demoText({ backup, verify, flipped, reversed, drill, chain, milliseconds }: Shown): string[] {
  const { set, bytes, verdict } = backup.nouns as { set: string; bytes: number; verdict: string };
  const { rtoMilliseconds } = drill.nouns as { rtoMilliseconds: number };
  return [
    '',
    `Done in ${measuredText(milliseconds)}. Nothing is left running.`,
    ...table([
      ['  backup', `${set}, ${bytesText(bytes)}, order ${verdict}`],
      ['  verify', verify.code],
      ['  one bit turned over', `found: ${count(violationsOf(flipped.found))}`],
      ['  wrong order', `found: ${count(violationsOf(reversed.found))}`],
      ['  drill', `restored and checked; recovery took ${measuredText(rtoMilliseconds)}`],
      ['  chain', chain === undefined ? NO_CHAIN : chainText(chain)],
      ...(chain === undefined ? [] : [['  members', membersText(chain)]]),
    ]),
    '',
    `Left in ${DEMO_FOLDER} until the next demo: the vault, the public key, and the identity that opens it. Look at it:`,
    `  npx ledgerhold sets --vault ${DEMO_FILES.vault}`,
    `  npx ledgerhold show latest --vault ${DEMO_FILES.vault}`,
    `  npx ledgerhold verify --all --vault ${DEMO_FILES.vault} --public-key ${DEMO_FILES.publicKey}`,
    ...(chain === undefined
      ? []
      : [
          `  npx ledgerhold verify --vault ${shareOf('bank-c')} --public-key ${DEMO_FILES.publicKey} --remember seen.json   as a member does`,
        ]),
    'Then try it on a node of yours:',
    '  npx ledgerhold init      writes a ledgerhold.yaml to fill in',
    '  npx ledgerhold doctor    checks it without changing anything',
    '  npx ledgerhold backup    takes the first set',
  ];
}

function chainText({ second, stalled, verify, drill }: ChainShown): string {
  const { head, historyFiles } = second.nouns as { head: { number: number }; historyFiles: number };
  const restored = drill === undefined ? 'not restored, for want of a geth' : 'restored into geth: the same state';
  return `blocks 0 to ${head.number} in ${historyFiles} files, a stopped validator found (exit ${stalled.exit}), ${verify.code}, ${restored}`;
}

function membersText({ members: { verified, away } }: ChainShown): string {
  const proven = Object.entries(verified).map(([member, { code }]) => `${member} ${code}`);
  return `one was away (exit ${away.exit}) and caught up, one joined late; each by itself: ${proven.join(', ')}`;
}

const count = (violations: readonly string[]): string =>
  violations.length === 1 ? '1 violation, exit 1' : `${violations.length} violations, exit 1`;
