import { readFileSync } from 'node:fs';
import { type EndingSignal, SIGNAL_CODES } from '../cli/exit-codes.ts';
import { run } from '../cli/run.ts';
import { openDiskThreads } from '../io/disk-threads.ts';
import { leave, leaveAtOnce } from '../io/stuck-calls.ts';

const { version, engines } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  readonly version: string;
  readonly engines: { readonly node: string };
};

/** Calls `end` at the first signal that asks us to end. A second one means it: no clean end any more. */
function onSignal(end: (signal: EndingSignal) => void): () => void {
  let asked = false;
  const forget = (Object.keys(SIGNAL_CODES) as EndingSignal[]).map((signal) => {
    const handler = () => {
      if (asked) leaveAtOnce(SIGNAL_CODES[signal]);
      asked = true;
      end(signal);
    };
    process.on(signal, handler);
    return () => process.off(signal, handler);
  });
  return () => {
    for (const each of forget) each();
  };
}

/** A Node that is too old would fail later and say nothing that helps. */
function refuseOldNode(wanted: string): void {
  const [major = 0, minor = 0] = wanted.replace(/^>=/, '').split('.').map(Number);
  const [ownMajor = 0, ownMinor = 0] = process.versions.node.split('.').map(Number);
  if (ownMajor > major || (ownMajor === major && ownMinor >= minor)) return;
  process.stderr.write(`ledgerhold needs Node ${wanted}; this is ${process.versions.node}.\n`);
  process.exit(2);
}

// Whoever reads our output may close it early, as `head` does.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 70));

refuseOldNode(engines.node);
openDiskThreads(process.env);
const code = await run(process.argv.slice(2), {
  ...{ version, cwd: process.cwd(), env: process.env, clock: { now: () => new Date() } },
  ...{ stdout: process.stdout, stderr: process.stderr, onSignal },
});
leave(code);
