import type { DrillRecord } from '../core/drill.ts';
import { Instant } from '../core/names.ts';
import type { ByteFilter, Clock } from '../core/ports.ts';
import type { Reading } from '../core/positions.ts';
import type { Artifact } from '../core/receipts.ts';
import type { IsolatedServer } from '../io/postgres/isolated.ts';
import type { ToolOptions } from '../io/postgres/tools.ts';
import { openArtifact } from '../vault/artifact.ts';
import { type ProvedSet, type ProveOptions, proveOne } from '../vault/sound-set.ts';
import { type Attempt, type DrillStep, type StepEnd, type StepOptions, stepper, worst } from './drill-steps.ts';
import { checkMeaning, type Meaning, type Restored, readingOf } from './restored-reading.ts';
import { meaningOf } from './soundness.ts';

export interface DrillOptions extends ProveOptions, ToolOptions, StepOptions {
  /** Opens what is encrypted; absent where nothing is. */
  readonly decrypt?: ByteFilter;
  /** For dumps of these kinds, as `Artifact.content` calls them. */
  readonly startServer: (contents: readonly string[]) => Promise<IsolatedServer>;
  readonly clock: Clock;
  /** Bytes of a dump that have been restored, and its whole size. */
  readonly onBytes?: (component: string, bytes: number, of: number) => void;
}

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
