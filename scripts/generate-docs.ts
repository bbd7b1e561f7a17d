import { writeFileSync } from 'node:fs';
import type { Command } from 'commander';
import { EXIT_CODES } from '../cli/exit-codes.ts';
import { define, program } from '../cli/program.ts';

const nowhere = { write: () => {} };

/** `docs/cli.md`, from the very definitions that the command line is parsed by. */
export async function cliReference(): Promise<string> {
  const perform = () => Promise.reject(new Error('the reference runs nothing'));
  const cli = program({ version: '', streams: { stdout: nowhere, stderr: nowhere }, json: false }, perform);
  for (const verb of cli.commands) await define(verb, perform);
  return [
    '# The command line',
    '',
    '<!-- Written by `node scripts/generate-docs.ts` from the definitions in `cli/`. -->',
    '',
    'Results go to stdout, progress and logs to stderr. With `--json` the last thing on stdout is one object,',
    '`{ "ok": …, "code": "…", … }`; after a failure it has `error: { name, message, remedy }`.',
    '',
    ...table(['every verb', ''], optionRows(cli)),
    '',
    ...cli.commands.flatMap((verb) => section(verb, '##')),
    '## Exit codes',
    '',
    'Several at once: 1 before 3 before 4 before 0.',
    '',
    ...table(
      ['code', 'means'],
      EXIT_CODES.map(({ code, means }) => [String(code), means]),
    ),
    '',
  ].join('\n');
}

function section(command: Command, mark: string): string[] {
  const rows = [
    ...command.registeredArguments.map((argument) => [`\`${argument.name()}\``, argument.description]),
    ...optionRows(command),
  ];
  const usage = command.registeredArguments.map((argument) => {
    const word = `${argument.name()}${argument.variadic ? '…' : ''}`;
    return argument.required ? ` <${word}>` : ` [${word}]`;
  });
  return [
    `${mark} ${pathOf(command)}${usage.join('')}`,
    '',
    `${sentence(command.description())}`,
    '',
    ...(rows.length === 0 ? [] : [...table(['', ''], rows), '']),
    ...command.commands.flatMap((child) => section(child, `${mark}#`)),
  ];
}

const pathOf = (command: Command): string =>
  command.parent?.parent ? `${pathOf(command.parent)} ${command.name()}` : command.name();

const optionRows = (command: Command): string[][] =>
  command.options
    .filter(({ hidden }) => !hidden)
    .map(({ flags, description, defaultValue, argChoices }) => [
      `\`${flags}\``,
      [
        description,
        ...(argChoices === undefined ? [] : [`one of ${argChoices.join(', ')}`]),
        ...(defaultValue === undefined ? [] : [`default \`${defaultValue}\``]),
      ].join('; '),
    ]);

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string[] =>
  [head, head.map(() => '---'), ...rows].map(
    (row) => `| ${row.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`,
  );

const sentence = (text: string): string =>
  `${text.charAt(0).toUpperCase()}${text.slice(1)}${text.endsWith('.') ? '' : '.'}`;

if (import.meta.main) {
  writeFileSync(new URL('../docs/cli.md', import.meta.url), await cliReference());
}
