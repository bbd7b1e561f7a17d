import { spawn } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { LedgerholdError } from '../core/errors.ts';
import type { Clock } from '../core/ports.ts';
import type { Http, HttpCall } from '../io/http.ts';
import type { Channel, Notice } from './alarm-board.ts';
import { timer } from './timers.ts';

/** Nobody was told. It is tried again later. */
export class NotificationFailed extends LedgerholdError {
  override readonly name = 'NotificationFailed';
  readonly kind = 'external';
}

/** A command that has not ended by then hangs. */
const COMMAND_SECONDS = 60;

/** The environment of a notifying command: never ours, which holds the secrets of the config. */
const PASSED_ON = ['PATH', 'HOME', 'LANG', 'TZ', 'TMPDIR'] as const;

export interface CommandOptions {
  /** Program and arguments; no shell reads them. */
  readonly argv: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/**
 * Runs a program with the notice as one line of JSON on its stdin, and as LEDGERHOLD_ALARM, _STATE, _NETWORK, _NODE and
 * _WHAT in its environment. It has a minute; only exit status 0 means that people were told.
 */
export function commandChannel({ argv: [program = '', ...args], cwd, env }: CommandOptions): Channel {
  const passedOn = Object.fromEntries(
    PASSED_ON.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])),
  );
  return {
    name: `the command ${program}`,
    tell: async (notice, signal) => {
      const overdue = new NotificationFailed(`${program} has not ended after ${COMMAND_SECONDS} s`, CHECK_COMMAND);
      const limit = timer(COMMAND_SECONDS, overdue);
      const giveUp = AbortSignal.any([signal, limit.signal]);
      try {
        await spawned(program, args, { cwd, env: { ...passedOn, ...described(notice) } }, notice, giveUp);
      } finally {
        limit.clear();
      }
    },
  };
}

const CHECK_COMMAND = 'Run the command of `notify.command` by hand, with a line of JSON on its stdin.';

const described = ({ alarm, state, network, node, what }: Notice): Record<string, string> => ({
  ...{ LEDGERHOLD_ALARM: alarm, LEDGERHOLD_STATE: state, LEDGERHOLD_NETWORK: network },
  // A value of the environment ends at a NUL, and all of them together at some 100 kB.
  ...{ LEDGERHOLD_NODE: node, LEDGERHOLD_WHAT: what.replaceAll('\0', ' ').slice(0, 2000) },
});

async function spawned(
  program: string,
  args: readonly string[],
  options: { readonly cwd: string; readonly env: Record<string, string> },
  notice: Notice,
  signal: AbortSignal,
): Promise<void> {
  signal.throwIfAborted();
  const child = spawn(program, args, { ...options, stdio: ['pipe', 'ignore', 'pipe'], shell: false });
  const kill = () => child.kill('SIGKILL');
  signal.addEventListener('abort', kill, { once: true });
  const ended = Promise.withResolvers<string>();
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-500);
  });
  child.on('error', (error) => ended.resolve(error.message));
  // Not `close`: what the program has left running may hold its stderr open for ever.
  child.on('exit', (code, by) => ended.resolve(code === 0 ? '' : `it ended with ${by ?? code}: ${said.trim()}`));
  // A program need not read what it is told.
  child.stdin.on('error', () => {});
  child.stdin.end(`${JSON.stringify(notice)}\n`);
  const failure = await ended.promise;
  signal.removeEventListener('abort', kill);
  child.stderr.destroy();
  signal.throwIfAborted();
  if (failure !== '') throw new NotificationFailed(`${program} did not tell anybody: ${failure}`, CHECK_COMMAND);
}

export interface WebhookOptions {
  readonly url: string;
  /** Asked for each time, so that a changed secret counts from the next notice on. */
  readonly secret?: () => Promise<string>;
  readonly http: Http;
  readonly clock: Clock;
  readonly pause: (seconds: number, signal: AbortSignal) => Promise<void>;
}

/**
 * Posts the notice as JSON. With a secret, `ledgerhold-signature` is the HMAC-SHA256, in hex, over the value of
 * `ledgerhold-timestamp` (Unix time, seconds), a full stop, and the body.
 */
export function webhookChannel({ url, secret, http, clock, pause }: WebhookOptions): Channel {
  return {
    name: 'the webhook',
    tell: async (notice, signal) => {
      const body = JSON.stringify(notice);
      const key = await secret?.();
      await calledUntilHeard({ http, pause, url }, signal, () => {
        const timestamp = String(Math.floor(clock.now().getTime() / 1000));
        const headers = { 'content-type': 'application/json', 'ledgerhold-timestamp': timestamp };
        const signature = key === undefined ? {} : { 'ledgerhold-signature': signed(key, timestamp, body) };
        return { method: 'POST', body, headers: { ...headers, ...signature } };
      });
    },
  };
}

/** What a receiver computes again to know that a notice is ours and new. */
export const signed = (secret: string, timestamp: string, body: string): string =>
  createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex');

/** Fetches the URL of a dead man's switch: whoever serves it alarms when this has not happened for too long. */
export const ping = (options: CallOptions, signal: AbortSignal): Promise<void> =>
  calledUntilHeard(options, signal, () => ({}));

export interface CallOptions {
  readonly url: string;
  readonly http: Http;
  readonly pause: (seconds: number, signal: AbortSignal) => Promise<void>;
}

/** Waits between attempts, in seconds: with 30 s for each of three calls, 96 s in all at most. */
const PAUSES = [1, 5] as const;

async function calledUntilHeard(
  { url, http, pause }: CallOptions,
  signal: AbortSignal,
  call: () => HttpCall,
): Promise<void> {
  for (let attempt = 0; ; attempt += 1) {
    const failure = await failureOf(http(url, { ...call(), signal }), signal);
    if (failure === undefined) return;
    const seconds = failure.mayHeal ? PAUSES[attempt] : undefined;
    if (seconds === undefined) {
      // Never the path: such addresses are often secrets.
      const message = `${new URL(url).origin} did not take a call: ${failure.why}`;
      throw new NotificationFailed(message, 'Check the address under `notify`, and that it can be reached from here.');
    }
    await pause(seconds, signal);
  }
}

async function failureOf(
  answer: ReturnType<Http>,
  signal: AbortSignal,
): Promise<{ why: string; mayHeal: boolean } | undefined> {
  try {
    const { status } = await answer;
    if (status >= 200 && status < 300) return undefined;
    return { why: `it answered ${status}`, mayHeal: status >= 500 || status === 429 || status === 408 };
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof LedgerholdError)) throw error;
    return { why: error.name, mayHeal: error.kind === 'external' };
  }
}
