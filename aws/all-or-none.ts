/** All results; else the first failure, after the others have ended: nothing may arrive in what is then taken back. */
export async function allOrNone<const Tasks extends readonly Promise<unknown>[]>(
  tasks: Tasks,
  failed: AbortController,
) {
  for (const task of tasks) task.catch((error) => failed.abort(error));
  await Promise.allSettled(tasks);
  if (failed.signal.aborted) throw failed.signal.reason;
  return Promise.all(tasks);
}
