/** By place: calls of this process that were given up, of which each holds a thread until it comes back. */
const stuck = new Map<string, Set<Promise<unknown>>>();

/** Those at one place, for whoever begins calls there. */
export function stuckAt(place: string): Set<Promise<unknown>> {
  const there = stuck.get(place) ?? new Set();
  stuck.set(place, there);
  return there;
}

/** Ends this process. */
export function leave(code: number): never {
  if ([...stuck.values()].some(({ size }) => size > 0)) leaveAtOnce(code);
  process.exit(code);
}

/**
 * Ends this process though a thread of it waits for a disk that never answers: Node's own exit waits for every thread.
 * Another program takes its place, which only says how it ended; with it the threads are gone.
 */
export function leaveAtOnce(code: number): never {
  // A system that cannot do that has no other way either.
  if (process.platform !== 'win32') process.execve?.(process.execPath, ['node', '-e', `process.exit(${code})`], {});
  process.exit(code);
}
