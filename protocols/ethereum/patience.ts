import { HostUnreachable, RequestTimedOut } from '../../io/http-errors.ts';
import { RpcUnavailable } from '../../io/json-rpc-errors.ts';

/** What trying again needs from outside. */
export interface Patience {
  readonly pause: (seconds: number, signal: AbortSignal) => Promise<void>;
  /** From 0 up to 1. */
  readonly random: () => number;
}

/** Three attempts; pauses of 1 and 4 s, half to one and a half times: with calls of 30 s, 98 s in all at most. */
const PAUSES = [1, 4] as const;

const mayHeal = (error: unknown): boolean =>
  error instanceof RequestTimedOut || error instanceof HostUnreachable || error instanceof RpcUnavailable;

/** Does `work` again after what may heal: silence, a connection that is dropped or refused, 5xx. `failed` hears of each. */
export async function patiently<T>(
  { pause, random }: Patience,
  signal: AbortSignal,
  work: () => Promise<T>,
  failed: (error: unknown) => void = () => {},
): Promise<T> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      const seconds = PAUSES[attempt];
      if (seconds === undefined || !mayHeal(error)) throw error;
      failed(error);
      await pause(seconds * (0.5 + random()), signal);
    }
  }
}
