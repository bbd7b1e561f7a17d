import { type MessagePort, parentPort } from 'node:worker_threads';
import type { WorkerMessage } from '../../io/worker-pool.ts';
import type { RuleChoice } from './hash-rules.ts';
import { keccak256 } from './keccak.ts';
import type { ChainFileReport } from './report.ts';
import { verifyChainFile } from './verify-file.ts';

/** The module of a thread that verifies files of blocks, one after the other. */
export interface VerifyFileTask {
  readonly file: string;
  readonly rule: RuleChoice;
}

/** Often enough for a bar that moves. */
const TELL_EVERY_MS = 200;

async function work({ file, rule }: VerifyFileTask, port: MessagePort): Promise<void> {
  const say = (message: WorkerMessage<ChainFileReport>) => port.postMessage(message);
  let [read, told] = [0, performance.now()];
  const onRead = (count: number) => {
    read += count;
    if (performance.now() - told < TELL_EVERY_MS) return;
    told = performance.now();
    say({ progress: read });
  };
  try {
    say({ result: await verifyChainFile(file, { rule, keccak: await keccak256(), onRead }) });
  } catch (error) {
    const { name, message } = error instanceof Error ? error : new Error(String(error));
    say({ failed: { name, message } });
  }
}

const port = parentPort;
port?.on('message', (task: VerifyFileTask) => void work(task, port));
