import type { CaptureOrder, Encryption } from '../core/ports.ts';
import { type Artifact, Captured } from '../core/receipts.ts';
import { KeyTaken, type Vault } from '../core/vault.ts';
import { storeArtifact } from '../vault/artifact.ts';
import type { CaptureEnd, DeployedSource } from './deployed-captures.ts';

/** Stores bytes sealed and compressed; does not keep them. */
export type Store = (bytes: Uint8Array, form: { readonly content: string }) => Promise<Artifact>;

/** A component that a Lambda takes wholly within one call. */
export interface LambdaSource {
  readonly kind: string;
  readonly at: string;
  readonly take: (store: Store, order: CaptureOrder) => Promise<Captured>;
}

export interface LambdaStorage {
  readonly vault: Vault;
  readonly encryption: Encryption;
}

/**
 * A source that is taken wholly within `start`, so that nothing secret outlives the call: a handle is the finished
 * capture itself, and `poll` and `finish` only read it. A repeated `start` captures again under the next free name:
 * nobody holds the handle that the first one may have given, and what it stored is swept as a leftover.
 */
export const takenInLambda = ({ kind, at, take }: LambdaSource, storage: LambdaStorage): DeployedSource => ({
  ...{ kind, at },
  start: async (order) =>
    JSON.stringify(await take((bytes, { content }) => store(storage, order, bytes, content), order)),
});

/** For the steps after `start`: the handle says it all. */
export function endedCaptures(): CaptureEnd {
  const captured = (handle: string) => Captured.parse(JSON.parse(handle));
  const bytes = ({ artifacts }: Captured) => artifacts.reduce((sum, { plain }) => sum + plain.size, 0);
  return {
    poll: async (handle) => ({ ended: true, progress: { bytes: bytes(captured(handle)) } }),
    finish: async (handle) => captured(handle),
    // All that such a capture leaves lies in the vault.
    attest: async () => {},
  };
}

/** Attempts of one step are few (`lib/workflows`); past these something else is wrong. */
const NAMES = 9;

async function store(
  { vault, encryption }: LambdaStorage,
  { network, node, slot, component, prefix }: CaptureOrder,
  bytes: Uint8Array,
  content: string,
): Promise<Artifact> {
  const context = { network, node, slot, component, content };
  for (let n = 1; ; n++) {
    const key = `${prefix}${component}${n === 1 ? '' : `.${n}`}.gz.sealed`;
    try {
      return await storeArtifact(vault, key, once(bytes), { content, compress: 'gzip', encryption, context });
    } catch (error) {
      if (!(error instanceof KeyTaken) || n === NAMES) throw error;
    }
  }
}

async function* once(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  yield bytes;
}
