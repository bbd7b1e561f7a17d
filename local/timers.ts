/** A signal that aborts with `reason` after `seconds`, until it is cleared. */
export function timer(seconds: number, reason: Error): { readonly signal: AbortSignal; clear(): void } {
  const controller = new AbortController();
  const handle = setTimeout(() => controller.abort(reason), seconds * 1000);
  return { signal: controller.signal, clear: () => clearTimeout(handle) };
}

/** Resolves after `seconds`; rejects with the signal's reason as soon as it aborts. */
export async function pause(seconds: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const over = Promise.withResolvers<void>();
  const wake = () => over.reject(signal.reason);
  const handle = setTimeout(over.resolve, seconds * 1000);
  signal.addEventListener('abort', wake, { once: true });
  try {
    await over.promise;
  } finally {
    clearTimeout(handle);
    signal.removeEventListener('abort', wake);
  }
}
