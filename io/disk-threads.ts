/**
 * Lets as many calls to disks be under way at once as several members keep busy: each holds a thread until its disk has
 * answered, a sync for long, and one that hangs for ever. Of Node's own four, four files of one dead disk would leave
 * none for all others. To be called before the first such call; who has set the variable has decided.
 */
export function openDiskThreads(environment: NodeJS.ProcessEnv): void {
  environment['UV_THREADPOOL_SIZE'] ??= '32';
}
