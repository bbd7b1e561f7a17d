import * as z from 'zod';
import { LedgerholdError } from '../../core/errors.ts';
import type { Http } from '../../io/http.ts';

/**
 * What Scan says about the network at the time of a set. A value that cannot be had reads `unavailable: ` and why.
 * `serial` is that of the physical synchronizer, whose whole id no endpoint of Scan tells: it holds a protocol version.
 */
export type ScanFacts = Readonly<Record<'migrationId' | 'logicalSynchronizer' | 'serial', string>>;

/** Those of a set's facts that were to be had from somebody and were not, a line each. */
export const unavailableIn = (facts: Readonly<Record<string, string>>): string[] =>
  Object.entries(facts)
    .filter(([, value]) => value.startsWith('unavailable: '))
    .map(([name, value]) => `${name} is ${value}`);

const ActiveSerial = z.object({ serial: z.int().min(0) });
const Sequencer = z.object({ migrationId: z.int().min(0), synchronizerSerial: z.int().min(0).nullish() });
const DsoSequencers = z.object({
  domainSequencers: z.array(z.object({ domainId: z.string().min(1).max(400), sequencers: z.array(Sequencer) })),
});
type Listed = z.infer<typeof DsoSequencers>['domainSequencers'];

/** Rejects only with what `signal` was aborted with: a set is not lost because Scan is away, and says so. `scan` is the base, such as `https://scan.example.com`. */
export async function scanFacts(scan: string, http: Http, signal?: AbortSignal): Promise<ScanFacts> {
  const base = `${scan.replace(/\/+$/, '')}/api/scan/v0`;
  const [active, listed] = await Promise.all([
    ask(`${base}/active-synchronizer-serial`, ActiveSerial, http, signal),
    ask(`${base}/dso-sequencers`, DsoSequencers, http, signal),
  ]);
  const serial = typeof active === 'string' ? active : String(active.serial);
  if (typeof listed === 'string') return { serial, logicalSynchronizer: listed, migrationId: listed };
  return { serial, ...placeOf(listed.domainSequencers, typeof active === 'string' ? undefined : active.serial) };
}

/** The synchronizer whose sequencers have the active serial; if none tells a serial, the only one there is. */
function placeOf(listed: Listed, serial: number | undefined) {
  const bySerial = listed
    .map(({ domainId, sequencers }) => ({
      domainId,
      sequencers: sequencers.filter(({ synchronizerSerial }) => serial !== undefined && synchronizerSerial === serial),
    }))
    .filter(({ sequencers }) => sequencers.length > 0);
  const meant = bySerial.length > 0 ? bySerial : listed;
  return {
    logicalSynchronizer: onlyOne(meant.map(({ domainId }) => domainId)),
    migrationId: onlyOne(meant.flatMap(({ sequencers }) => sequencers.map(({ migrationId }) => String(migrationId)))),
  };
}

function onlyOne(values: readonly string[]): string {
  const [first, ...others] = new Set(values);
  if (first === undefined) return 'unavailable: Scan names none';
  return others.length === 0 ? first : `unavailable: Scan names ${others.length + 1}`;
}

async function ask<T extends z.ZodType>(
  url: string,
  schema: T,
  http: Http,
  signal: AbortSignal | undefined,
): Promise<z.infer<T> | `unavailable: ${string}`> {
  try {
    const { status, body } = await http(url, signal === undefined ? {} : { signal });
    if (status !== 200) return `unavailable: Scan answered ${status}`;
    return schema.parse(JSON.parse(body.toString()));
  } catch (error) {
    if (error instanceof LedgerholdError) return `unavailable: ${error.name}`;
    if (error instanceof SyntaxError || error instanceof z.ZodError)
      return 'unavailable: Scan answered in a form unknown here';
    throw error;
  }
}
