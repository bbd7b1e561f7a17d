import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { AnyNode } from '../config/nodes.ts';
import { parseConfig } from '../config/parse.ts';
import { payloadNodeOf, payloadNodes } from '../config/payloads.ts';
import type { Config } from '../config/schema.ts';
import type { SecretSources } from '../config/secrets.ts';
import { LedgerholdError } from '../core/errors.ts';
import { suggestion } from '../core/nearest.ts';
import type { Encryption, Signer } from '../core/ports.ts';
import { ageEncryption } from '../io/age.ts';
import { noEncryption } from '../io/no-encryption.ts';
import { keyFileSigner } from '../local/key-file-signer.ts';
import type { Shell } from './shell.ts';

/** A config that has been read and is valid. Nothing in it has been called or resolved yet. */
export interface Loaded {
  readonly file: string;
  readonly text: string;
  readonly config: Config;
  /** A path as the config has it, made absolute: relative ones start at the config's folder. */
  readonly path: (path: string) => string;
  readonly secrets: SecretSources;
}

export class ConfigMissing extends LedgerholdError {
  override readonly name = 'ConfigMissing';
  readonly kind = 'usage';
}

export class UnknownNode extends LedgerholdError {
  override readonly name = 'UnknownNode';
  readonly kind = 'usage';
}

/** The config asks for a part that this version, or this verb, does not have. */
export class NotSupportedYet extends LedgerholdError {
  override readonly name = 'NotSupportedYet';
  readonly kind = 'usage';
}

/** Rejects with `ConfigMissing` or `ConfigInvalid`. */
export async function loadConfig({ flags, cwd, env }: Pick<Shell, 'flags' | 'cwd' | 'env'>): Promise<Loaded> {
  const file = resolve(cwd, flags.config);
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    const remedy = 'Write one with `ledgerhold init`, or name it with --config FILE.';
    throw new ConfigMissing(`the configuration ${file} cannot be read`, remedy, { cause });
  });
  const path = (relative: string) => resolve(dirname(file), relative);
  const secrets: SecretSources = {
    env,
    readFile: (name) => readFile(path(name), 'utf8'),
    // Loaded here: most configs have no secret in AWS.
    secretsManager: async (id) => (await import('../aws/read-secret.ts')).readSecretValue(id),
  };
  return { file: flags.config, text, config: parseConfig(flags.config, text), path, secrets };
}

/** The same; undefined where there is none. */
export const loadedIfThere = (shell: Pick<Shell, 'flags' | 'cwd' | 'env'>): Promise<Loaded | undefined> =>
  loadConfig(shell).catch((error: unknown) => {
    if (error instanceof ConfigMissing) return undefined;
    throw error;
  });

/** The node named, or the only one. Rejects with `UnknownNode`. */
export function nodeNamed({ nodes }: Config, name: string | undefined): AnyNode {
  const all = [...nodes, ...payloadNodes({ nodes })];
  const names = all.map((node) => node.name);
  const [first, second] = nodes;
  if (name === undefined && first !== undefined && second === undefined) return first;
  const node = all.find((each) => each.name === name);
  if (node !== undefined) return node;
  if (name !== undefined) throw new UnknownNode(`the config has no node ${name}`, suggestion(name, names));
  throw new UnknownNode(`the config has ${nodes.length} nodes`, `Name one with --node: ${names.join(', ')}.`);
}

/** Nodes that `--node` means: the one named, or all that are enabled; with a chain what is captured after it. */
export function nodesMeant(config: Config, name: string | undefined): AnyNode[] {
  const meant = name === undefined ? config.nodes.filter(({ enabled }) => enabled) : [nodeNamed(config, name)];
  return meant.flatMap((node) => [node, payloadNodeOf(node) ?? []].flat());
}

/** Encrypts to the restorer's keys. Whoever holds only this cannot read back. */
export async function openEncryption({ config: { encryption } }: Loaded): Promise<Encryption> {
  if (encryption === 'none') return noEncryption;
  if (encryption.recipients !== undefined) return ageEncryption(encryption.recipients);
  const { openKmsEnvelope } = await import('../aws/open.ts');
  return openKmsEnvelope(encryption.kms);
}

export async function openSigner({ config: { signing }, path }: Loaded): Promise<Signer> {
  if (signing.keyFile !== undefined) return keyFileSigner(path(signing.keyFile));
  const { openKmsSigner } = await import('../aws/open.ts');
  return openKmsSigner(signing.kms);
}
