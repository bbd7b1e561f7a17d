import { runDumpTask } from '../cli/dump-task.ts';
import { type EndingSignal, Interrupted, SIGNAL_CODES } from '../cli/exit-codes.ts';

// ECS asks with SIGTERM, and kills 30 s later.
const abort = new AbortController();
for (const signal of Object.keys(SIGNAL_CODES) as EndingSignal[]) {
  process.on(signal, () => abort.abort(new Interrupted(signal)));
}

const code = await runDumpTask({
  ...{ env: process.env, clock: { now: () => new Date() }, signal: abort.signal },
  log: (line) => void process.stdout.write(`${JSON.stringify(line)}\n`),
});
process.exit(code);
