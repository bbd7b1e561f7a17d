import { access, readdir } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { LedgerholdError } from '../../core/errors.ts';

/** A program of PostgreSQL's is not installed here. */
export class NoPostgresTools extends LedgerholdError {
  override readonly name = 'NoPostgresTools';
  readonly kind = 'usage';
}

/** Where Debian and its kin keep one folder per version, each with its own `bin`. */
const VERSIONS = '/usr/lib/postgresql';

/** The folder with all of `programs`: the one given, else the newest version installed, else one of the PATH's. */
export async function toolFolder(
  programs: readonly string[],
  given: string | undefined,
  environment: NodeJS.ProcessEnv,
  versions = VERSIONS,
): Promise<string> {
  const path = environment['PATH'] ?? '';
  const folders = given === undefined ? [...(await installed(versions)), ...path.split(delimiter)] : [given];
  for (const folder of folders) if (await holds(folder, programs)) return folder;
  throw new NoPostgresTools(
    `no ${programs.join(' and ')} in ${given ?? `${versions}/*/bin or the PATH`}`,
    'Install PostgreSQL, at least as new as the server that is backed up, or name the folder of its programs with tools.',
  );
}

/** Newest first. */
async function installed(versions: string): Promise<string[]> {
  const names = await readdir(versions).catch(() => []);
  return names.sort((a, b) => Number(b) - Number(a)).map((name) => join(versions, name, 'bin'));
}

async function holds(folder: string, programs: readonly string[]): Promise<boolean> {
  const found = await Promise.allSettled(programs.map((program) => access(join(folder, program))));
  return found.every(({ status }) => status === 'fulfilled');
}
