import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { openDecompressed } from '../io/decompressed-file.ts';
import { FileReadFailed, FileUnreadable } from '../io/file-errors.ts';
import { inThreads } from '../io/worker-pool.ts';
import type { RuleChoice } from '../protocols/ethereum/hash-rules.ts';
import type { ChainFileReport } from '../protocols/ethereum/report.ts';
import type { VerifyFileTask } from '../protocols/ethereum/verify-file-worker.ts';
import { PACKAGE_ROOT } from './package-root.ts';
import { bytesText } from './render/units.ts';
import type { Shell } from './shell.ts';

/** Each thread holds a piece, a block and perhaps a window: with two, all of it stays below 200 MB. */
const MOST_THREADS = 2;

/** The thread's module: beside the sources from them, else as it is built. */
const MODULE = import.meta.filename.endsWith('.ts')
  ? join(import.meta.dirname, '../protocols/ethereum/verify-file-worker.ts')
  : join(PACKAGE_ROOT, 'dist/verify-file-worker.js');

/** Verifies files side by side, as many at once as it may, with a line of progress for each. */
export async function verifyFilesInThreads(
  shell: Shell,
  files: readonly string[],
  rule: RuleChoice,
  threads = Math.min(MOST_THREADS, availableParallelism()),
): Promise<ChainFileReport[]> {
  // Before anything starts: a name that is wrong is told at once, not after hours.
  const sizes = new Map<string, number>();
  for (const file of files) sizes.set(file, (await openDecompressed(file)).size);
  const view = await shell.progress(files);
  try {
    return await inThreads<VerifyFileTask, ChainFileReport>(
      files.map((file) => ({ file, rule })),
      {
        ...{ module: pathToFileURL(MODULE), threads, signal: shell.signal },
        onStart: ({ file }) => view.begin(file),
        onProgress: ({ file }, bytes) => view.update(file, { bytes, of: sizes.get(file) ?? 0 }),
        onEnd: ({ file }, report) => told(view, file, report),
        errorOf: ({ file }, { name, message }) => {
          const cause = new Error(message);
          if (name === 'FileReadFailed') return new FileReadFailed(file, { cause });
          return name === 'FileUnreadable' ? new FileUnreadable(file, { cause }) : cause;
        },
      },
    );
  } finally {
    await view.close();
  }
}

type View = Awaited<ReturnType<Shell['progress']>>;

function told(view: View, file: string, { blocks, bytes, problems }: ChainFileReport): void {
  const text = `${blocks} blocks, ${bytesText(bytes)}`;
  const [first] = problems;
  if (first === undefined) view.end(file, text);
  else view.fail(file, first.text);
}
