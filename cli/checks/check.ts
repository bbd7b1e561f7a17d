import type { EthereumNode } from '../../config/nodes.ts';
import { LedgerholdError } from '../../core/errors.ts';
import type { ByteFilter } from '../../core/ports.ts';
import type { Vault } from '../../core/vault.ts';
import type { Loaded } from '../context.ts';
import { type ExitCode, exitCodeOf } from '../exit-codes.ts';
import type { PreparedNode } from '../nodes.ts';
import type { Shell } from '../shell.ts';

/** What a check found, a line each. */
export interface Finding {
  readonly level: 'ok' | 'warn' | 'fail' | 'unknown';
  readonly text: string;
  readonly remedy?: string;
  /** What the finding counts for; default: 1 for `fail`, 3 for `unknown`, else 0. */
  readonly exit?: ExitCode;
}

/** One thing that can be checked without changing anything. A check that throws an error of ours has found that. */
export interface Check {
  readonly id: string;
  readonly title: string;
  run(context: CheckContext): Promise<readonly Finding[]>;
}

export interface CheckContext {
  readonly shell: Shell;
  readonly loaded: Loaded;
  readonly vault: Vault;
  /** Enabled nodes whose addresses could be resolved. Those that could not are a finding already. */
  readonly nodes: readonly PreparedNode[];
  /** Enabled chains, or the one that was named. */
  readonly chains: readonly EthereumNode[];
  /** Opens what is encrypted, if an identity was given. */
  readonly decrypt: ByteFilter | undefined;
}

export const ok = (text: string): Finding => ({ level: 'ok', text });
export const warn = (text: string, remedy: string): Finding => ({ level: 'warn', text, remedy });
export const fail = (text: string, remedy: string): Finding => ({ level: 'fail', text, remedy });
export const unknown = (text: string, remedy: string): Finding => ({ level: 'unknown', text, remedy });

export const weightOf = ({ level, exit }: Finding): ExitCode =>
  exit ?? (level === 'fail' ? 1 : level === 'unknown' ? 3 : 0);

/** What `find` found, or the error of ours that it ended with. */
export async function findingsOf(find: () => Promise<readonly Finding[]>): Promise<readonly Finding[]> {
  try {
    return await find();
  } catch (error) {
    if (!(error instanceof LedgerholdError)) throw error;
    const exit = exitCodeOf(error);
    const text = `${error.name}: ${error.message}`;
    return [{ level: error.kind === 'unknown' ? 'unknown' : 'fail', text, remedy: error.remedy, exit }];
  }
}
