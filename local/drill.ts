import type { DrillRecord } from '../core/drill.ts';
import { LedgerholdError } from '../core/errors.ts';
import { Instant } from '../core/names.ts';
import type { ByteFilter, Clock } from '../core/ports.ts';
import type { Reading } from '../core/positions.ts';
import type { Artifact } from '../core/receipts.ts';
import { WrongIdentity } from '../io/age.ts';
import { PostgresToolFailed } from '../io/postgres/errors.ts';
import type { IsolatedServer } from '../io/postgres/isolated.ts';
import type { ToolOptions } from '../io/postgres/tools.ts';
import { IdentityNeeded, openArtifact } from '../vault/artifact.ts';
import { type ProvedSet, type ProveOptions, proveOne } from '../vault/sound-set.ts';
import { checkMeaning, type Meaning, type Restored, readingOf } from './restored-reading.ts';
import { meaningOf } from './soundness.ts';

export interface DrillOptions extends ProveOptions, ToolOptions {
  /** Opens what is encrypted; absent where nothing is. */
  readonly decrypt?: ByteFilter;
  /** For dumps of these kinds, as `Artifact.content` calls them. */
  readonly startServer: (contents: readonly string[]) => Promise<IsolatedServer>;
  readonly clock: Clock;
  /** Milliseconds of a clock that never goes back. */
  readonly elapsed: () => number;
  readonly onStep?: (step: DrillStep | { readonly name: string; readonly began: true }) => void;
  /** Bytes of a dump that have been restored, and its whole size. */
  readonly onBytes?: (component: string, bytes: number, of: number) => void;
}

export type DrillStep = DrillRecord['steps'][number];
/** A drill's record, before anybody signs it. */
export type DrillResult = Omit<DrillRecord, 'signer'>;

/**
 * Restores a set in isolation, as a restore would, and asks what was restored whether it is what was captured. The
 * steps' times add up to the measured recovery time. A step that fails ends the drill; nothing is left running.
 * Rejects only with what is no answer about the set: `NoSuchSet`, `IdentityNeeded`, the signal's reason, or a bug.
 */
export async function drill(node: string, seq: number, options: DrillOptions): Promise<DrillResult> {
  const startedAt = instant(options.clock);
  const began = options.elapsed();
  const set = await proveOne(node, seq, options);
  const steps: DrillStep[] = [];
  const attempt = stepper(steps, options);
  const meaning = await attempt('prove the set', async () => proved(set), began);
  if (meaning !== undefined) await rehearse(set, meaning, attempt, options);
  const { network } = set.manifest.value;
  return {
    format: 'ledgerhold/drill/1',
    ...{ network, node: set.manifest.value.node, set: set.report.set, manifest: set.manifest.sha256 },
    ...{ startedAt, endedAt: instant(options.clock), outcome: worst(steps), steps },
    rtoMilliseconds: steps.reduce((sum, { milliseconds }) => sum + milliseconds, 0),
  };
}

/** Does one step, timed from `began` or now; undefined if it failed, or one before it had, which is then written down. */
type Attempt = <T>(name: string, work: () => Promise<StepEnd<T>>, began?: number) => Promise<T | undefined>;

interface StepEnd<T> {
  readonly value: T;
  readonly text: string;
}

function stepper(steps: DrillStep[], { elapsed, onStep, signal }: DrillOptions): Attempt {
  return async (name, work, began) => {
    if (worst(steps) !== 'passed') return undefined;
    signal?.throwIfAborted();
    onStep?.({ name, began: true });
    const since = began ?? elapsed();
    const done = (outcome: DrillStep['outcome'], text: string) => {
      const step = { name, milliseconds: Math.round(elapsed() - since), outcome, text };
      steps.push(step);
      onStep?.(step);
    };
    try {
      const { value, text } = await work();
      done('passed', text);
      return value;
    } catch (error) {
      signal?.throwIfAborted();
      // Nobody has said what opens it: that is no answer about the set.
      if (!(error instanceof LedgerholdError) || error instanceof IdentityNeeded) throw error;
      done(outcomeOf(error), `${error.name}: ${error.message}`);
      return undefined;
    }
  };
}

/** `failed` is what speaks against the set or its identity; what only kept us from looking is `unknown`. */
function outcomeOf(error: LedgerholdError): 'failed' | 'unknown' {
  if (error instanceof PostgresToolFailed) return /no space left/i.test(error.message) ? 'unknown' : 'failed';
  return error.kind === 'violation' || error instanceof WrongIdentity ? 'failed' : 'unknown';
}

function worst(steps: readonly DrillStep[]): DrillStep['outcome'] {
  if (steps.some(({ outcome }) => outcome === 'failed')) return 'failed';
  return steps.some(({ outcome }) => outcome === 'unknown') ? 'unknown' : 'passed';
}

async function rehearse(set: ProvedSet, meaning: Meaning, attempt: Attempt, options: DrillOptions): Promise<void> {
  const server = await attempt('start a server of its own', async () => {
    const value = await options.startServer(set.proof.artifacts.map(({ artifact }) => artifact.content));
    return { value, text: value.title };
  });
  try {
    const restored: Restored[] = [];
    for (const part of set.proof.artifacts) {
      const reading = server && (await bringBack(part, meaning, server, attempt, options));
      const attested = set.proof.receipts.get(part.component)?.end?.value.reading;
      restored.push({ component: part.component, role: part.role, attested, reading });
    }
    await attempt('check positions and identity', async () => {
      checkMeaning(set.report.set, restored, meaning, false);
      return { value: undefined, text: 'as attested at the capture, and within the ledger’s laws' };
    });
  } finally {
    await server?.stop();
  }
}

const proved = (set: ProvedSet): StepEnd<Meaning> => ({
  value: meaningOf(set, false),
  text: 'signature, chain, order and receipts',
});

interface Part {
  readonly component: string;
  readonly role: string;
  readonly artifact: Artifact;
}

/** Restores a dump, or opens what is no dump, and says what it now says of itself. */
async function bringBack(
  { component, role, artifact }: Part,
  meaning: Meaning,
  server: IsolatedServer,
  attempt: Attempt,
  options: DrillOptions,
): Promise<Reading | undefined> {
  const { size } = artifact.plain;
  const open = () => openArtifact(options.vault, artifact, options.decrypt);
  const reader = meaning.contents?.[artifact.content];
  if (reader !== undefined) {
    return attempt(`open ${component}`, async () => {
      const bytes = Buffer.concat(await Array.fromAsync(open()));
      const value = reader(bytes);
      // Private keys may be in it.
      bytes.fill(0);
      return { value, text: `${size} bytes` };
    });
  }
  return attempt(`restore ${component}`, async () => {
    const onBytes = (bytes: number) => options.onBytes?.(component, bytes, size);
    await server.restore(component, artifact.content, open(), { ...options, onBytes });
    const facts = await server.facts(component, meaning.positions.queries);
    return { value: readingOf(component, role, facts, meaning), text: `${size} bytes` };
  });
}

const instant = ({ now }: Clock): Instant => Instant.parse(now().toISOString());
