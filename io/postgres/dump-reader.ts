import type { FactQuery, Facts } from '../../core/facts.ts';
import type { ByteFilter } from '../../core/ports.ts';
import { archiveReader } from './archive.ts';
import { UnsupportedDump } from './errors.ts';
import { plainDumpReader } from './plain-dump.ts';

/** What a dump says of itself; null where its format does not tell. */
export interface DumpSummary {
  readonly database: string | null;
  /** By the clock and in the time zone of the machine that ran `pg_dump`: ISO 8601 to the second, without an offset. */
  readonly createdAt: string | null;
  readonly serverVersion: string | null;
  readonly dumpVersion: string | null;
  /** Entries of its table of contents; for plain SQL, tables with rows. */
  readonly entries: number;
  readonly bytes: number;
}

export interface DumpReading {
  readonly summary: DumpSummary;
  readonly facts: Facts;
}

/** Reads a whole dump as its bytes come. Both throw `DumpDamaged`, or `UnsupportedDump` where rows are asked for. */
export interface DumpReader {
  /** The bytes are not kept once this, or what it returns, is done. */
  push(bytes: Uint8Array): Promise<void> | undefined;
  end(): DumpReading;
}

/** How `Artifact.content` calls the formats. */
const READERS: Readonly<Record<string, (queries: readonly FactQuery[]) => DumpReader>> = {
  'pg_dump-custom': archiveReader,
  'pg_dump-plain': plainDumpReader,
};

export function dumpReader(content: string, queries: readonly FactQuery[] = []): DumpReader {
  const reader = READERS[content];
  if (reader === undefined) throw new UnsupportedDump(`it is ${content}, not ${Object.keys(READERS).join(' or ')}`);
  return reader(queries);
}

/** Reads a dump to its end, for its summary and for the answers to `queries`. */
export async function readDump(
  content: string,
  source: AsyncIterable<Uint8Array>,
  queries: readonly FactQuery[] = [],
): Promise<DumpReading> {
  const reader = dumpReader(content, queries);
  for await (const bytes of source) {
    const busy = reader.push(bytes);
    if (busy !== undefined) await busy;
  }
  return reader.end();
}

/** Lets a dump through unchanged. The stream fails at its end, and not before, if the dump was not whole. */
export function dumpTee(reader: DumpReader, onEnd: (reading: DumpReading) => void): ByteFilter {
  return async function* (source) {
    for await (const bytes of source) {
      const busy = reader.push(bytes);
      if (busy !== undefined) await busy;
      yield bytes;
    }
    onEnd(reader.end());
  };
}
