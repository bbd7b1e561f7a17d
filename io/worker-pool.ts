import { Worker } from 'node:worker_threads';

/** What a worker thread says while it works on a task, and at its end. Classes do not cross: a failure is its name. */
export type WorkerMessage<Result> =
  | { readonly progress: number }
  | { readonly result: Result }
  | { readonly failed: WorkerFailure };

export interface WorkerFailure {
  readonly name: string;
  readonly message: string;
}

export interface PoolOptions<Task, Result> {
  /** The worker's module: it answers each task that it is sent with messages, a result or a failure last. */
  readonly module: URL;
  readonly threads: number;
  readonly signal: AbortSignal;
  onStart(task: Task): void;
  onProgress(task: Task, progress: number): void;
  onEnd(task: Task, result: Result): void;
  /** The error that a failure stands for. */
  errorOf(task: Task, failed: WorkerFailure): Error;
}

/** Of short-lived objects, a thread holds this many before it collects them: by default ten times as many. */
const YOUNG_MEGABYTES = 4;

/** Works on tasks in several threads, each thread on one at a time; results in the order of the tasks. */
export async function inThreads<Task, Result>(
  tasks: readonly Task[],
  options: PoolOptions<Task, Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  const left = tasks.entries();
  const workers: Worker[] = [];
  const endAll = () => Promise.all(workers.map((worker) => worker.terminate()));
  const thread = async () => {
    const worker = new Worker(options.module, { resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MEGABYTES } });
    workers.push(worker);
    for (const [position, task] of left) {
      options.onStart(task);
      results[position] = await answer(worker, task, options);
      options.onEnd(task, results[position]);
    }
  };
  try {
    await Promise.all(Array.from({ length: Math.min(options.threads, tasks.length) }, thread));
  } finally {
    await endAll();
  }
  return results;
}

function answer<Task, Result>(
  worker: Worker,
  task: Task,
  { signal, onProgress, errorOf }: PoolOptions<Task, Result>,
): Promise<Result> {
  const { promise, resolve, reject } = Promise.withResolvers<Result>();
  const onAbort = () => reject(signal.reason as Error);
  const onMessage = (message: WorkerMessage<Result>) => {
    if ('progress' in message) onProgress(task, message.progress);
    else if ('result' in message) resolve(message.result);
    else reject(errorOf(task, message.failed));
  };
  const onExit = () => reject(new Error('a worker thread ended without an answer'));
  signal.addEventListener('abort', onAbort);
  if (signal.aborted) onAbort();
  worker.on('message', onMessage).once('error', reject).once('exit', onExit);
  worker.postMessage(task);
  return promise.finally(() => {
    signal.removeEventListener('abort', onAbort);
    worker.off('message', onMessage).off('error', reject).off('exit', onExit);
  });
}
