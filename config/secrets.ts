import { LedgerholdError } from '../core/errors.ts';
import type { Secret } from './values.ts';

/** Where secrets come from when one is needed; nothing reads them earlier. */
export interface SecretSources {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** A file's text; `path` is as the config has it, relative to the config. */
  readonly readFile: (path: string) => Promise<string>;
  readonly secretsManager: (id: string) => Promise<string>;
}

/** A secret that the config points to is not there. Its name is told, never a value. */
export class SecretMissing extends LedgerholdError {
  override readonly name = 'SecretMissing';
  readonly kind = 'usage';
}

type Environment = SecretSources['env'];

/** What other programs may inherit: an environment without the variables that the config names as secrets. */
export function withoutSecrets(env: Environment, config: object): Environment {
  const secret = new Set(variablesIn(config));
  return Object.fromEntries(Object.entries(env).filter(([name]) => !secret.has(name)));
}

/** Wherever `{ env: NAME }` stands in a config. */
function* variablesIn(part: object): Generator<string> {
  for (const [key, value] of Object.entries(part)) {
    if (key === 'env' && typeof value === 'string') yield value;
    if (typeof value === 'object' && value !== null) yield* variablesIn(value);
  }
}

export async function readSecret(secret: Secret, sources: SecretSources): Promise<string> {
  if (secret.env !== undefined) return fromEnvironment(secret.env, sources);
  if (secret.secretsManager !== undefined) return sources.secretsManager(secret.secretsManager);
  return fromFile(secret.file, sources);
}

function fromEnvironment(name: string, { env }: SecretSources): string {
  const value = env[name];
  if (value !== undefined && value !== '') return value;
  const state = value === undefined ? 'not set' : 'empty';
  throw new SecretMissing(
    `the environment variable ${name} is ${state}`,
    `Set ${name}, or name another in the config.`,
  );
}

async function fromFile(path: string, { readFile }: SecretSources): Promise<string> {
  const text = await readFile(path).catch((cause: unknown) => {
    const remedy = `Write the secret into ${path}, readable by this user only, or name another file in the config.`;
    throw new SecretMissing(`the secret file ${path} cannot be read`, remedy, { cause });
  });
  const value = text.replace(/\r?\n$/, '');
  if (value !== '') return value;
  throw new SecretMissing(`the secret file ${path} is empty`, `Write the secret into ${path}.`);
}
