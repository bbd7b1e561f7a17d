import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type AlarmName, runbookOf } from '../../core/alarms.ts';

const ROOT = join(import.meta.dirname, '../..');

/** The commands of one section of a runbook, a block each, as they are printed. */
export async function commandsOf(alarm: AlarmName, section: 'Look' | 'Do'): Promise<string[]> {
  const text = await readFile(join(ROOT, runbookOf(alarm)), 'utf8');
  const [, part = ''] = text.split(`## ${section}\n`);
  const own = part.split(/^## /m)[0] ?? '';
  return [...own.matchAll(/^( *)```sh\n([^]*?)^ *```$/gm)].map(([, indent = '', block = '']) =>
    block.replaceAll(new RegExp(`^${indent}`, 'gm'), '').trim(),
  );
}

/** Somebody who knows the names of the network and the node, and has a shell with these programs. */
export interface Reader {
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  /** What stands for a placeholder, by its name, such as `NETWORK`. */
  readonly knows: Readonly<Record<string, string>>;
  /** What a runbook tells to take from the output of a command before, by the placeholder's name. */
  readonly finds?: Readonly<Record<string, RegExp>>;
}

/**
 * Types the commands of *Look* as they stand there, line by line in one shell, and takes what is to be put in only from
 * what was known or has been seen. Resolves to all that was seen. Rejects where a command fails, or nothing was seen that
 * could be put in.
 */
export async function look(alarm: AlarmName, reader: Reader): Promise<string> {
  let seen = '';
  for (const block of await commandsOf(alarm, 'Look')) {
    for (const command of block.split(/(?<!\\|\|)\n(?! )/)) seen += await typed(put(command, reader, seen), reader);
  }
  return seen;
}

function put(command: string, { knows, finds = {} }: Reader, seen: string): string {
  return command.replaceAll(/\b[A-Z]{2,}(?:_[A-Z]+)*(?=\b|_[A-Z]?[a-z])/g, (word) => {
    const found = finds[word];
    if (found === undefined) return knows[word] ?? word;
    const value = found.exec(seen)?.[1];
    if (value === undefined) throw new Error(`nothing was seen that is ${word}, for: ${command}\nbut only: ${seen}`);
    return value;
  });
}

/** Resolves to all that a command says. */
export async function typed(command: string, { env, cwd }: Pick<Reader, 'env' | 'cwd'>): Promise<string> {
  const child = spawn('sh', ['-eu', '-c', command], { env, cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  const said: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => said.push(chunk));
  const status = await new Promise<number | null>((resolve) => child.on('close', resolve));
  const text = Buffer.concat(said).toString();
  // What is proved not so, or unknown, is an answer of ours as well.
  const answers = command.startsWith('ledgerhold ') ? [0, 1, 3] : [0];
  if (!answers.includes(status ?? -1)) throw new Error(`${command}\nended with ${status}: ${text}`);
  return text;
}
