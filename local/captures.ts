import type { CaptureOrder, Captures, Progress } from '../core/ports.ts';
import { type Captured, CaptureFailed } from '../core/receipts.ts';

/** Takes one component's state from beginning to end, in this process. */
export interface LocalCapture {
  readonly source: { readonly kind: string; readonly at: string };
  take(order: CaptureOrder, watch: Watch): Promise<Captured>;
}

/** How a capture is followed and given up. */
export interface Watch {
  readonly signal: AbortSignal;
  progress(progress: Progress): void;
}

/** What is told to whoever shows progress. */
export type CaptureEvent =
  | { readonly kind: 'started' }
  | { readonly kind: 'progress'; readonly progress: Progress }
  | { readonly kind: 'ended'; readonly captured: Captured }
  | { readonly kind: 'failed'; readonly error: unknown };

interface Job {
  readonly ended: Promise<Captured>;
  progress: Progress;
}

/** Captures of this process, and how to be sure that none goes on behind a run that has ended. */
export interface LocalCaptures extends Captures {
  /** Gives up what still runs, and resolves when nothing does. */
  stop(reason: unknown): Promise<void>;
}

/** Runs captures in this process. A handle is the capture's own name, so that a repeated start finds the first one. */
export function localCaptures(
  captureOf: (component: string) => LocalCapture,
  onEvent: (component: string, event: CaptureEvent) => void,
): LocalCaptures {
  const jobs = new Map<string, Job>();
  const abort = new AbortController();
  const jobOf = (handle: string): Job => {
    const job = jobs.get(handle);
    if (job === undefined) throw lost(handle);
    return job;
  };
  return {
    source: ({ component }) => captureOf(component).source,
    start: async (order) => {
      const handle = handleOf(order);
      if (!jobs.has(handle)) jobs.set(handle, begin(captureOf(order.component), order, abort.signal, onEvent));
      return handle;
    },
    poll: async (handle, waitSeconds) => {
      const job = jobOf(handle);
      const ended = await endsWithin(job.ended, waitSeconds);
      return { ended, progress: job.progress };
    },
    finish: async (handle) => jobOf(handle).ended,
    // What is captured here lies in the vault, where the guard has looked.
    attest: async () => {},
    stop: async (reason) => {
      abort.abort(reason);
      await Promise.allSettled([...jobs.values()].map(({ ended }) => ended));
    },
  };
}

const handleOf = ({ node, slot, fence, component }: CaptureOrder): string => `${node}/${slot}/${fence}/${component}`;

function begin(
  capture: LocalCapture,
  order: CaptureOrder,
  signal: AbortSignal,
  onEvent: (component: string, event: CaptureEvent) => void,
): Job {
  const tell = (event: CaptureEvent) => onEvent(order.component, event);
  const state: { progress: Progress } = { progress: { bytes: 0 } };
  const progress = (now: Progress) => {
    state.progress = now;
    tell({ kind: 'progress', progress: now });
  };
  tell({ kind: 'started' });
  const ended = capture.take(order, { signal, progress });
  // Told, not handled: whoever polls gets the error itself. It also keeps a failure between two polls from being
  // taken for one that nobody waits for.
  ended.then(
    (captured) => tell({ kind: 'ended', captured }),
    (error: unknown) => tell({ kind: 'failed', error }),
  );
  return Object.assign(state, { ended });
}

/** True when `ended` resolves in time; rejects with its error. */
async function endsWithin(ended: Promise<unknown>, seconds: number): Promise<boolean> {
  const timeUp = Promise.withResolvers<false>();
  const timer = setTimeout(() => timeUp.resolve(false), seconds * 1000);
  try {
    return await Promise.race([ended.then(() => true), timeUp.promise]);
  } finally {
    clearTimeout(timer);
  }
}

const lost = (handle: string): CaptureFailed =>
  new CaptureFailed(
    `this process has no capture ${handle}`,
    'Run the backup again; a new attempt takes the slot over.',
  );
