import type { WriteStream } from 'node:tty';
import { Listr, ListrLogger, type ListrTask, ProcessOutput } from 'listr2';
import { type ProgressView, progressText } from './progress.ts';
import type { Sink } from './screen.ts';

/** A thing's line: what listr2 draws, and how its task is ended from outside. */
interface Line {
  readonly ended: PromiseWithResolvers<void>;
  draw(text: string): void;
}

/** One moving line for each name, for a terminal. */
export function barProgress(stderr: Sink, names: readonly string[]): ProgressView {
  const lines = new Map<string, Line>();
  const stream = stderr as unknown as WriteStream;
  const logger = new ListrLogger({ processOutput: new ProcessOutput(stream, stream) });
  const list = new Listr(
    names.map((name) => task(name, lines)),
    { concurrent: true, exitOnError: false, rendererOptions: { logger, collapseErrors: false } },
  );
  const drawn = list.run();
  return {
    begin: (name) => lines.get(name)?.draw('started'),
    update: (name, progress, rate) => lines.get(name)?.draw(progressText(progress, rate)),
    end: (name, result) => {
      lines.get(name)?.draw(result);
      lines.get(name)?.ended.resolve();
    },
    fail: (name, why) => lines.get(name)?.ended.reject(new Error(`${name}: ${why}`)),
    close: async () => {
      for (const { ended } of lines.values()) ended.resolve();
      await drawn;
    },
  };
}

function task(name: string, lines: Map<string, Line>): ListrTask {
  return {
    title: name,
    task: (_context, wrapper) => {
      const ended = Promise.withResolvers<void>();
      const draw = (text: string) => {
        wrapper.title = `${name}  ${text}`;
      };
      lines.set(name, { ended, draw });
      return ended.promise;
    },
  };
}
