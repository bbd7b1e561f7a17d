import { ALARMS, runbookOf, type ServeAlarm } from '../core/alarms.ts';
import { LedgerholdError } from '../core/errors.ts';
import type { Clock } from '../core/ports.ts';

/** What happened, for whoever is told. */
export interface Happening {
  readonly what: string;
  readonly slot?: string;
  readonly error?: unknown;
}

/** One thing that people or their tools are told. Fields are only ever added. */
export interface Notice {
  readonly format: 'ledgerhold/notice/1';
  readonly network: string;
  readonly node: string;
  readonly alarm: ServeAlarm;
  readonly state: 'raised' | 'cleared';
  readonly at: string;
  readonly means: string;
  readonly what: string;
  readonly slot?: string;
  readonly error?: { readonly name: string; readonly message: string; readonly remedy?: string };
  readonly runbook: string;
}

/** A way to tell people. Rejects with a `LedgerholdError` if they were not told. */
export interface Channel {
  readonly name: string;
  tell(notice: Notice, signal: AbortSignal): Promise<void>;
}

export interface BoardPorts {
  readonly network: string;
  readonly clock: Clock;
  readonly channels: readonly Channel[];
  readonly warn: (line: string) => void;
}

/** Which alarms are raised. Each is told once when it is raised, when its reason changes, and when it is cleared. */
export interface AlarmBoard {
  /** `reason` tells two occasions of an alarm apart; while it stays the same nobody is told again. */
  raise(alarm: ServeAlarm, node: string, reason: string, happening: Happening, signal: AbortSignal): Promise<void>;
  /** Does nothing if it was not raised. */
  clear(alarm: ServeAlarm, node: string, what: string, signal: AbortSignal): Promise<void>;
  /** Raised before this process began: nobody is told again, but its clearing is told. */
  adopt(alarm: ServeAlarm, node: string, reason: string): void;
  /** No alarm is raised. */
  isQuiet(): boolean;
  /** Tells what a channel has not been told yet. */
  flush(signal: AbortSignal): Promise<void>;
}

export function alarmBoard({ network, clock, channels, warn }: BoardPorts): AlarmBoard {
  const raised = new Map<string, string>();
  const outboxes = channels.map((channel) => outbox(channel, warn));
  const flush = async (signal: AbortSignal) => void (await Promise.all(outboxes.map((box) => box.flush(signal))));
  const tell = (alarm: ServeAlarm, node: string, state: Notice['state'], happened: Happening, signal: AbortSignal) => {
    const { what, slot, error } = happened;
    const runbook = runbookOf(alarm);
    warn(`${node}: ${alarm} ${state}: ${what} (${runbook})`);
    const notice: Notice = {
      ...{ format: 'ledgerhold/notice/1', network, node, alarm, state, at: clock.now().toISOString() },
      ...{ means: ALARMS[alarm].means, what, runbook },
      ...(slot !== undefined && { slot }),
      ...(error !== undefined && { error: told(error) }),
    };
    for (const box of outboxes) box.put(notice);
    return flush(signal);
  };
  return {
    raise: async (alarm, node, reason, happening, signal) => {
      const key = `${node}/${alarm}`;
      if (raised.get(key) === reason) return;
      raised.set(key, reason);
      await tell(alarm, node, 'raised', happening, signal);
    },
    clear: async (alarm, node, what, signal) => {
      if (raised.delete(`${node}/${alarm}`)) await tell(alarm, node, 'cleared', { what }, signal);
    },
    adopt: (alarm, node, reason) => void raised.set(`${node}/${alarm}`, reason),
    isQuiet: () => raised.size === 0,
    flush,
  };
}

/** Where nobody listens for days, the newest matter: each node has few alarms, and each is told once. */
const OUTBOX_LIMIT = 500;

interface Outbox {
  put(notice: Notice): void;
  flush(signal: AbortSignal): Promise<void>;
}

/** Keeps a channel's notices in order, and those that did not get through for later. */
function outbox(channel: Channel, warn: (line: string) => void): Outbox {
  const waiting: Notice[] = [];
  let last: Promise<void> = Promise.resolve();
  const send = async (signal: AbortSignal) => {
    for (let notice = waiting[0]; notice !== undefined; notice = waiting[0]) {
      try {
        await channel.tell(notice, signal);
      } catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof LedgerholdError)) throw error;
        return warn(`${channel.name} was not told of ${notice.alarm}, and will be later: ${error.message}`);
      }
      waiting.shift();
    }
  };
  return {
    put: (notice) => {
      if (waiting.push(notice) > OUTBOX_LIMIT) waiting.shift();
    },
    // One after the other: two at once would tell the first notice twice.
    flush: (signal) => {
      last = last.catch(() => {}).then(() => send(signal));
      return last;
    },
  };
}

function told(error: unknown): NonNullable<Notice['error']> {
  if (error instanceof LedgerholdError) return { name: error.name, message: error.message, remedy: error.remedy };
  return error instanceof Error
    ? { name: error.name, message: error.message }
    : { name: 'Unexpected', message: String(error) };
}
