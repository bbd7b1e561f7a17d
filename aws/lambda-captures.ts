import type { CaptureOrder, Captures, Encryption } from '../core/ports.ts';
import { type Artifact, Captured, CaptureFailed } from '../core/receipts.ts';
import { KeyTaken, type Vault } from '../core/vault.ts';
import { storeArtifact } from '../vault/artifact.ts';

/** Stores bytes sealed and compressed; does not keep them. */
export type Store = (bytes: Uint8Array, form: { readonly content: string }) => Promise<Artifact>;

/** One component's source, as far as a Lambda can reach it. */
export interface LambdaSource {
  readonly kind: string;
  readonly at: string;
  /** Absent where a Lambda cannot take the state: there is no `pg_dump` in it. */
  readonly take?: (store: Store) => Promise<Captured>;
}

export interface LambdaCapturesProps {
  readonly vault: Vault;
  readonly encryption: Encryption;
  /** Undefined for a component that is not configured. */
  readonly sourceOf: (node: string, component: string) => LambdaSource | undefined;
}

/** The state of this component cannot be taken by the Lambdas that are deployed. */
export class NotInLambda extends CaptureFailed {
  override readonly name = 'NotInLambda';
  override readonly kind = 'usage';
}

/**
 * Captures that a Lambda takes wholly within `start`, so that nothing secret outlives the call: a handle is the finished
 * capture itself, and `poll` and `finish` only read it. A repeated `start` captures again under the next free name:
 * nobody holds the handle that the first one may have given, and what it stored is swept as a leftover.
 */
export function lambdaCaptures(props: LambdaCapturesProps): Captures {
  const source = ({ node, component }: CaptureOrder): LambdaSource => {
    const found = props.sourceOf(node, component);
    if (found !== undefined) return found;
    throw new NotInLambda(
      `no source is deployed for ${component} of ${node}`,
      'Add it to the captures of LedgerBackup and deploy, or leave it out of the run.',
    );
  };
  return {
    ...endedCaptures(),
    source: (order) => {
      const { kind, at } = source(order);
      return { kind, at };
    },
    start: async (order) => {
      const from = source(order);
      if (from.take === undefined) throw notByLambda(order, from);
      return JSON.stringify(await from.take((bytes, { content }) => store(props, order, bytes, content)));
    },
  };
}

/** For the steps after `start`: the handle says it all. */
export function endedCaptures(): Pick<Captures, 'poll' | 'finish'> {
  const captured = (handle: string) => Captured.parse(JSON.parse(handle));
  const bytes = ({ artifacts }: Captured) => artifacts.reduce((sum, { plain }) => sum + plain.size, 0);
  return {
    poll: async (handle) => ({ ended: true, progress: { bytes: bytes(captured(handle)) } }),
    finish: async (handle) => captured(handle),
  };
}

/** Attempts of one step are few (`lib/workflows`); past these something else is wrong. */
const NAMES = 9;

async function store(
  { vault, encryption }: LambdaCapturesProps,
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

const notByLambda = ({ component, node }: CaptureOrder, { kind, at }: LambdaSource): NotInLambda =>
  new NotInLambda(
    `${component} of ${node} is a ${kind} source (${at}), and no Lambda can dump it`,
    'Back it up with `ledgerhold backup` on a machine that reaches it; its vault may be this bucket.',
  );
