import type { CaptureOrder, Captures } from '../core/ports.ts';
import { CaptureFailed } from '../core/receipts.ts';

/** What follows the start of captures of one kind. The handle says all that they need to know. */
export type CaptureEnd = Pick<Captures, 'poll' | 'finish' | 'attest'>;

/** By the kind of source, such as `identities`. */
export type CaptureEnds = Readonly<Record<string, CaptureEnd>>;

/** One component's source, as far as it can be reached from AWS. */
export interface DeployedSource {
  readonly kind: string;
  /** For people and for the receipt; never a secret. */
  readonly at: string;
  /** As `Captures.start`. Absent where nothing that is deployed can take the state. */
  readonly start?: (order: CaptureOrder) => Promise<string>;
}

export interface DeployedCapturesProps {
  readonly ends: CaptureEnds;
  /** Undefined for a component that is not configured. */
  readonly sourceOf: (node: string, component: string) => DeployedSource | undefined;
}

/** The state of this component cannot be taken by what is deployed. */
export class NotInLambda extends CaptureFailed {
  override readonly name = 'NotInLambda';
  override readonly kind = 'usage';
}

/** Captures on AWS: each by the kind of its source. A handle is the kind, a space, and the kind's own handle. */
export function deployedCaptures({ ends, sourceOf }: DeployedCapturesProps): Captures {
  const source = ({ node, component }: CaptureOrder): DeployedSource => {
    const found = sourceOf(node, component);
    if (found !== undefined) return found;
    throw new NotInLambda(
      `no source is deployed for ${component} of ${node}`,
      'Add it to the captures of LedgerBackup and deploy, or leave it out of the run.',
    );
  };
  return {
    ...captureEnds(ends),
    source: (order) => {
      const { kind, at } = source(order);
      return { kind, at };
    },
    start: async (order) => {
      const { kind, at, start } = source(order);
      if (start === undefined) throw outOfReach(order, kind, at);
      return `${kind} ${await start(order)}`;
    },
  };
}

/** For the steps after `start`, which know no sources. */
export function captureEnds(ends: CaptureEnds): CaptureEnd {
  const endOf = (handle: string) => {
    const space = handle.indexOf(' ');
    const end = ends[handle.slice(0, space)];
    if (end !== undefined) return { end, own: handle.slice(space + 1) };
    throw new CaptureFailed(
      `no capture has the handle ${handle.slice(0, 80)}`,
      'Run the whole backup again; states run by hand must carry the handle that the start gave.',
    );
  };
  return {
    poll: async (handle, waitSeconds) => {
      const { end, own } = endOf(handle);
      return end.poll(own, waitSeconds);
    },
    finish: async (handle) => {
      const { end, own } = endOf(handle);
      return end.finish(own);
    },
    attest: async (predecessor) => {
      for (const end of Object.values(ends)) await end.attest(predecessor);
    },
  };
}

const outOfReach = ({ component, node }: CaptureOrder, kind: string, at: string): NotInLambda =>
  new NotInLambda(
    `${component} of ${node} is a ${kind} source (${at}), and no Lambda can dump it`,
    'Back it up with `ledgerhold backup` on a machine that reaches it; its vault may be this bucket.',
  );
