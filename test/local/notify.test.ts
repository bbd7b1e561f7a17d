import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { guardedHttp } from '../../io/http.ts';
import { outboundTo } from '../../io/http-guard.ts';
import { alarmBoard, type Channel, type Notice } from '../../local/alarm-board.ts';
import { assertRoom, DiskTooFull } from '../../local/free-space.ts';
import { commandChannel, NotificationFailed, ping, signed, webhookChannel } from '../../local/notify.ts';
import { FakeTime } from '../fakes/fake-time.ts';
import { bodyOf, serve } from '../support/loopback.ts';
import { failureOf } from '../support/said.ts';

const START = '2026-11-21T04:00:00Z';
const signal = new AbortController().signal;
const notice: Notice = {
  ...{ format: 'ledgerhold/notice/1', network: 'net', node: 'a', alarm: 'RUN_FAILED', state: 'raised', at: START },
  ...{ means: 'a run failed', what: 'down "; rm -rf /', runbook: 'docs/runbooks/run-failed.md' },
};

let dir = '';
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'ledgerhold-test-'));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

/** A program of our own; the notice's JSON is the text of its stdin. */
async function program(name: string, code: string) {
  const file = join(dir, `${name}.mjs`);
  await writeFile(file, code);
  return commandChannel({ argv: [process.execPath, file], cwd: dir, env: { ...process.env, SECRET: 'sentinel' } });
}

describe('a notifying command', () => {
  test('is given the notice on stdin and in its environment, and nothing else of ours', async () => {
    const code = `import { readFileSync, writeFileSync } from 'node:fs';
      const { SECRET, LEDGERHOLD_ALARM, LEDGERHOLD_WHAT } = process.env;
      writeFileSync('told', JSON.stringify({ stdin: JSON.parse(readFileSync(0, 'utf8')), SECRET, LEDGERHOLD_ALARM, LEDGERHOLD_WHAT }));`;
    await (await program('tells', code)).tell(notice, signal);
    expect(JSON.parse(await readFile(join(dir, 'told'), 'utf8'))).toEqual({
      ...{ stdin: notice, LEDGERHOLD_ALARM: 'RUN_FAILED', LEDGERHOLD_WHAT: notice.what },
    });
  });

  test('that fails, is missing, or does not read is told apart from one that has told', async () => {
    const failing = await program('fails', `console.error('no mail server'); process.exitCode = 3;`);
    await expect(failing.tell(notice, signal)).rejects.toThrow('it ended with 3');
    const missing = commandChannel({ argv: [join(dir, 'none')], cwd: dir, env: {} });
    await expect(missing.tell(notice, signal)).rejects.toThrow(NotificationFailed);
    await (await program('deaf', 'process.exitCode = 0;')).tell({ ...notice, what: 'x'.repeat(200_000) }, signal);
  });

  test('is killed when everything ends, even if it has left a child behind', async () => {
    const code = `import { spawn } from 'node:child_process';
      spawn(process.execPath, ['-e', 'setTimeout(() => {}, 3000)'], { stdio: 'inherit' });`;
    const controller = new AbortController();
    const telling = (await program('hangs', code)).tell(notice, controller.signal);
    setTimeout(() => controller.abort(new Error('over')), 300);
    await expect(telling).rejects.toThrow('over');
  });
});

/** A webhook that gives these answers, one after the other, and the last one ever after. */
async function receiver(...statuses: number[]) {
  const calls: { headers: NodeJS.Dict<string | string[]>; body: string }[] = [];
  const server = await serve((request, response) => {
    void bodyOf(request).then((body) => {
      calls.push({ headers: request.headers, body });
      response.statusCode = statuses[Math.min(calls.length, statuses.length) - 1] ?? 200;
      response.end();
    });
  });
  const url = `${server.origin}/hooks/a-secret-path`;
  const waits: number[] = [];
  const pause = async (seconds: number) => void waits.push(seconds);
  const options = { url, http: guardedHttp(outboundTo([url])), pause, clock: new FakeTime(START) };
  return { calls, waits, options, server };
}

describe('a webhook', () => {
  test('gets the notice as JSON, signed together with its time', async () => {
    const { calls, options, server } = await receiver(204);
    await using _ = server;
    await webhookChannel({ ...options, secret: async () => 'shared' }).tell(notice, signal);
    const [{ headers, body } = { headers: {}, body: '' }] = calls;
    expect(JSON.parse(body)).toEqual(notice);
    const timestamp = String(Date.parse(START) / 1000);
    expect(headers).toMatchObject({ 'content-type': 'application/json', 'ledgerhold-timestamp': timestamp });
    expect(headers['ledgerhold-signature']).toBe(signed('shared', timestamp, body));
    // echo -n '1.{}' | openssl dgst -sha256 -hmac shared
    expect(signed('shared', '1', '{}')).toBe('4df96c9d351831861e0eecb4322c5cdf1db41aa13137d5ed7718562ee2bab403');
  });

  test('is called again when it may heal, three times in all, and not when it will not', async () => {
    const heals = await receiver(503, 200);
    await using _ = heals.server;
    await webhookChannel(heals.options).tell(notice, signal);
    expect(heals.calls).toHaveLength(2);
    expect(heals.calls[0]?.headers['ledgerhold-signature']).toBeUndefined();

    const down = await receiver(500);
    await using __ = down.server;
    const failure = await failureOf(webhookChannel(down.options).tell(notice, signal));
    expect(failure).toBeInstanceOf(NotificationFailed);
    expect(`${failure.message} ${failure.stack}`).not.toContain('a-secret-path');
    expect(down.waits).toEqual([1, 5]);

    const gone = await receiver(410);
    await using ___ = gone.server;
    await expect(webhookChannel(gone.options).tell(notice, signal)).rejects.toThrow('it answered 410');
    expect(gone.calls).toHaveLength(1);
  });

  test('is never followed elsewhere', async () => {
    const { options, server, calls } = await receiver(302);
    await using _ = server;
    await expect(ping(options, signal)).rejects.toThrow('RedirectRefused');
    expect(calls).toHaveLength(1);
  });
});

describe('the board of alarms', () => {
  /** A channel that tells nobody while it is down. */
  function board() {
    const told: string[] = [];
    const state = { down: false };
    const channel: Channel = {
      name: 'test',
      tell: async ({ alarm, node, state: now, what }) => {
        if (state.down) throw new NotificationFailed('down', 'wait');
        told.push(`${node} ${alarm} ${now} ${what}`);
      },
    };
    const warnings: string[] = [];
    const warn = (line: string) => void warnings.push(line);
    const alarms = alarmBoard({ network: 'net', clock: new FakeTime(START), channels: [channel], warn });
    return { alarms, told, state, warnings };
  }

  test('tells each occasion once, and the end of it', async () => {
    const { alarms, told } = board();
    for (let n = 0; n < 3; n += 1) await alarms.raise('RUN_FAILED', 'a', 'slot-1 TypeError', { what: 'down' }, signal);
    await alarms.raise('RUN_FAILED', 'a', 'slot-2 TypeError', { what: 'down still' }, signal);
    await alarms.raise('RUN_FAILED', 'b', 'slot-1 TypeError', { what: 'down' }, signal);
    expect(alarms.isQuiet()).toBe(false);
    for (const node of ['a', 'a', 'b']) await alarms.clear('RUN_FAILED', node, 'sealed', signal);
    expect(alarms.isQuiet()).toBe(true);
    expect(told).toEqual([
      'a RUN_FAILED raised down',
      'a RUN_FAILED raised down still',
      'b RUN_FAILED raised down',
      'a RUN_FAILED cleared sealed',
      'b RUN_FAILED cleared sealed',
    ]);
  });

  test('keeps what could not be told, and tells it later in order', async () => {
    const { alarms, told, state, warnings } = board();
    state.down = true;
    await alarms.raise('RUN_FAILED', 'a', '1', { what: 'down' }, signal);
    await alarms.clear('RUN_FAILED', 'a', 'sealed', signal);
    expect(told).toEqual([]);
    expect(warnings[1]).toContain('test was not told of RUN_FAILED');
    state.down = false;
    await Promise.all([alarms.flush(signal), alarms.flush(signal)]);
    expect(told).toEqual(['a RUN_FAILED raised down', 'a RUN_FAILED cleared sealed']);
  });

  test('tells the end of what was raised before a restart, and not its beginning again', async () => {
    const { alarms, told } = board();
    alarms.adopt('RUN_FAILED', 'a', 'slot-1 TypeError');
    await alarms.raise('RUN_FAILED', 'a', 'slot-1 TypeError', { what: 'down' }, signal);
    await alarms.clear('RUN_FAILED', 'a', 'sealed', signal);
    expect(told).toEqual(['a RUN_FAILED cleared sealed']);
  });
});

describe('the check for room', () => {
  test('wants a fifth more than the last set took, and nothing before there is one', async () => {
    await assertRoom(dir, undefined, async () => 0);
    await assertRoom(dir, 100, async () => 120);
    await expect(assertRoom(dir, 100, async () => 119)).rejects.toThrow(DiskTooFull);
    await assertRoom(join(dir, 'not', 'yet', 'there'), 1);
  });
});
