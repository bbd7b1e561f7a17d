import type { Finding } from '../../core/proof.ts';
import type { DemoNetwork } from '../../demo/network.ts';
import type { SetReport } from '../../vault/verify.ts';
import type { Shown } from '../commands/demo.ts';
import type { Damage } from '../demo-damage.ts';
import { DEMO_FILES, DEMO_FOLDER } from '../demo-world.ts';
import { bytesText, measuredText, table } from './units.ts';

export function worldText({ engine, who, oauth, endpoint }: DemoNetwork): string[] {
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
    ]),
    '  The validator is a toy. What backs it up, proves and restores it is what you would run.',
  ];
}

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

export function demoNouns({ backup, verify, flipped, reversed, drill, milliseconds }: Shown): Record<string, unknown> {
  return {
    ...{ backup: backup.nouns, verify: verify.nouns, drill: drill.nouns },
    flipped: { what: flipped.what, violations: violationsOf(flipped.found) },
    reversed: { what: reversed.what, violations: violationsOf(reversed.found) },
    ...{ files: DEMO_FILES, milliseconds: Math.round(milliseconds) },
  };
}

export function demoText({ backup, verify, flipped, reversed, drill, milliseconds }: Shown): string[] {
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
    ]),
    '',
    `Left in ${DEMO_FOLDER} until the next demo: the vault, the public key, and the identity that opens it. Look at it:`,
    `  npx ledgerhold sets --vault ${DEMO_FILES.vault}`,
    `  npx ledgerhold show latest --vault ${DEMO_FILES.vault}`,
    `  npx ledgerhold verify --all --vault ${DEMO_FILES.vault} --public-key ${DEMO_FILES.publicKey}`,
    'Then try it on a node of yours:',
    '  npx ledgerhold init      writes a ledgerhold.yaml to fill in',
    '  npx ledgerhold doctor    checks it without changing anything',
    '  npx ledgerhold backup    takes the first set',
  ];
}

const count = (violations: readonly string[]): string =>
  violations.length === 1 ? '1 violation, exit 1' : `${violations.length} violations, exit 1`;
