import type { CaptureOrder, Clock, Encryption } from '../core/ports.ts';
import type { Artifact, Captured } from '../core/receipts.ts';
import type { Vault } from '../core/vault.ts';
import { describeSource, type PostgresSource } from '../io/postgres/connection.ts';
import { CUSTOM_DUMP, type DumpOptions, dumpDatabase } from '../io/postgres/dump.ts';
import type { Watch } from '../local/captures.ts';
import type { Protocol } from '../protocols/protocol.ts';
import { storeArtifact } from '../vault/artifact.ts';
import { positionsOf } from './positions.ts';

/** What captures need of the world. */
export interface CapturePorts {
  readonly vault: Vault;
  readonly encryption: Encryption;
  readonly clock: Clock;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Default: `pg_dump`. */
  readonly dumper?: Dumper;
}

/** What takes a database's dump, and what `Artifact.content` says of it. */
export interface Dumper {
  readonly content: string;
  /** For people: what it will do. */
  does(source: PostgresSource): string;
  dump(component: string, source: PostgresSource, options: DumpOptions): Promise<Captured>;
}

export const PG_DUMP: Dumper = {
  content: CUSTOM_DUMP,
  does: (source) => `pg_dump of ${describeSource(source)}`,
  dump: (_component, source, options) => dumpDatabase(source, options),
};

/** Of a capture's order, what taking it needs. */
export type TakenOrder = Omit<CaptureOrder, 'predecessors'>;

/** One component's database, and what is asked of it. */
export interface DatabaseToTake {
  readonly source: PostgresSource;
  readonly protocol: Protocol;
  /** The registered participant, where there is one. */
  readonly registered: string | undefined;
  readonly bytesPerSecond: number | undefined;
}

/** Dumps a database into the vault, its positions read in the same snapshot: on one machine and in a task alike. */
export function takeDatabase(
  { source, protocol, registered, bytesPerSecond }: DatabaseToTake,
  order: TakenOrder,
  ports: CapturePorts,
  { signal, progress }: Watch,
): Promise<Captured> {
  const { clock, env, dumper = PG_DUMP } = ports;
  const pace = bytesPerSecond === undefined ? {} : { bytesPerSecond };
  return dumper.dump(order.component, source, {
    ...{ environment: env, clock, signal, onProgress: progress },
    readPositions: positionsOf(protocol, order, registered),
    store: (dump) => storeCapture(ports, order, dump, { name: '.dump', content: dumper.content, ...pace, signal }),
  });
}

interface Form extends Partial<Pick<Watch, 'signal'>> {
  /** What the artifact's name ends in, before what its encodings add. */
  readonly name: string;
  readonly content: string;
  readonly bytesPerSecond?: number;
}

export function storeCapture(
  { vault, encryption }: CapturePorts,
  { network, node, slot, component, prefix }: TakenOrder,
  bytes: AsyncIterable<Uint8Array>,
  { name, ...form }: Form,
): Promise<Artifact> {
  const sealed = encryption.encoding === undefined ? '' : encryption.encoding === 'age' ? '.age' : '.sealed';
  const context = { network, node, slot, component, content: form.content };
  return storeArtifact(vault, `${prefix}${component}${name}.zst${sealed}`, bytes, {
    ...{ ...form, compress: 'zstd', encryption, context },
  });
}
