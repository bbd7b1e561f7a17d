import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import * as z from 'zod';
import { LedgerholdError } from '../../core/errors.ts';
import { defineStep } from '../../core/step.ts';
import { type LocalStep, local, runtime } from '../../local/runtime.ts';

class Busy extends LedgerholdError {
  override readonly name = 'Busy';
  readonly kind = 'external';
}
class Broken extends LedgerholdError {
  override readonly name = 'Broken';
  readonly kind = 'violation';
}
const busy = () => new Busy('the database is busy', 'Wait.');
const broken = () => new Broken('the disk is broken', 'Change it.');

/** What the tasks below are given, each some of it. */
interface Given {
  readonly item: { readonly value: unknown; readonly index: number };
  readonly failure: { readonly Error: string; readonly Cause: string };
  readonly who: unknown;
  readonly n: unknown;
  readonly from: unknown;
}
const contract = (name: string) =>
  defineStep({ name, env: [], input: z.custom<Given>(), output: z.unknown(), errors: [Busy] });
const steps = (runs: Record<string, (input: Given, signal: AbortSignal) => unknown>): Record<string, LocalStep> =>
  Object.fromEntries(
    Object.entries(runs).map(([name, run]) => [
      name,
      local(contract(name), async (input, signal) => run(input, signal)),
    ]),
  );

const catchAll = [{ ErrorEquals: ['States.ALL'], Next: 'Tell', ResultPath: '$.failure' }];
const retry = [{ ErrorEquals: ['Busy'], IntervalSeconds: 1, MaxAttempts: 2, BackoffRate: 1, JitterStrategy: 'FULL' }];
const task = (name: string, more: object = {}) => ({
  Type: 'Task',
  Resource: `\${${name}}`,
  TimeoutSeconds: 30,
  Parameters: { 'item.$': '$' },
  ResultPath: `$.${name}`,
  ...more,
});
const forEach = (atOnce: number, States: object, more: object = {}) => ({
  Type: 'Map',
  ItemsPath: '$.items',
  ItemSelector: { 'value.$': '$$.Map.Item.Value', 'index.$': '$$.Map.Item.Index' },
  MaxConcurrency: atOnce,
  ItemProcessor: { ProcessorConfig: { Mode: 'INLINE' }, StartAt: 'Work', States },
  ResultPath: null,
  Catch: catchAll,
  ...more,
});
const machine = (StartAt: string, States: object) => ({ TimeoutSeconds: 60, StartAt, States });
const told = {
  Tell: task('tell', { Parameters: { 'failure.$': '$.failure' }, Next: 'Failed' }),
  Failed: { Type: 'Fail', ErrorPath: '$.failure.Error', CausePath: '$.failure.Cause' },
};
const options = { executionId: 'run-1' };

describe('a run', () => {
  test('threads the state through tasks, by path, and ends with it', async () => {
    const definition = machine('A', {
      A: task('a', { Parameters: { 'who.$': '$$.Execution.Id', 'n.$': '$.n' }, Next: 'B' }),
      B: task('b', { Parameters: { 'from.$': '$.a.out' }, End: true }),
    });
    const run = runtime({ definition, steps: steps({ a: (i) => ({ out: [i.who, i.n] }), b: (i) => i.from }) });
    expect(await run.run({ n: 0 }, options)).toEqual({ n: 0, a: { out: ['run-1', 0] }, b: ['run-1', 0] });
  });

  test('retries an error that is named, and ends with the very error that is not', async () => {
    const calls: string[] = [];
    const error = broken();
    const definition = machine('A', { A: task('a', { Retry: retry, Catch: catchAll, End: true }), ...told });
    const fail = () => {
      calls.push('a');
      throw calls.length < 2 ? busy() : error;
    };
    const failures: unknown[] = [];
    const run = runtime({ definition, steps: steps({ a: fail, tell: ({ failure }) => failures.push(failure) }) });
    await expect(run.run({}, options)).rejects.toBe(error);
    expect(calls).toHaveLength(2);
    expect(failures).toEqual([
      { Error: 'Broken', Cause: JSON.stringify({ errorType: 'Broken', errorMessage: 'the disk is broken' }) },
    ]);
  });

  test('ends with an error that nothing catches as it was thrown', async () => {
    const error = broken();
    const definition = machine('A', { A: task('a', { End: true }) });
    const run = runtime({ definition, steps: steps({ a: () => Promise.reject(error) }) });
    await expect(run.run({}, options)).rejects.toBe(error);
  });

  test('waits as long as the state says', async () => {
    const States = { W: { Type: 'Wait', SecondsPath: '$.s', Next: 'A' }, A: task('a', { End: true }) };
    const run = runtime({ definition: machine('W', States), steps: steps({ a: () => Date.now() }) });
    const before = Date.now();
    const { a } = (await run.run({ s: 1 }, options)) as { a: number };
    expect(a - before).toBeGreaterThan(900);
  });
});

describe('what a step is given and gives', () => {
  test('is held to its contract', async () => {
    const strict = defineStep({
      name: 'a',
      env: [],
      input: z.strictObject({ n: z.number() }),
      output: z.strictObject({ ok: z.boolean() }),
      errors: [],
    });
    const A = task('a', { Parameters: { 'n.$': '$.n' }, End: true });
    const of = (answer: unknown) =>
      runtime({ definition: machine('A', { A }), steps: { a: local(strict, async () => answer as never) } });
    await expect(of({ ok: true }).run({ n: 1 }, options)).resolves.toMatchObject({ a: { ok: true } });
    await expect(of({ ok: 1 }).run({ n: 1 }, options)).rejects.toMatchObject({ name: 'ContractBroken' });
    await expect(of({ ok: true }).run({ n: 'secret' }, options)).rejects.toMatchObject({
      name: 'ContractBroken',
      message: expect.not.stringContaining('secret'),
    });
  });

  test('may not pass 256 KiB, nor may a state', async () => {
    const half = 'x'.repeat(140_000);
    const definition = machine('A', {
      A: task('a', { Next: 'B', Catch: catchAll }),
      B: task('b', { End: true }),
      ...told,
    });
    const calls: string[] = [];
    const of = (a: unknown) =>
      runtime({
        definition,
        steps: steps({ a: () => a, b: () => calls.push('b'), tell: () => calls.push('tell') }),
      }).run({ half }, options);
    await expect(of('x'.repeat(262_144))).rejects.toMatchObject({
      name: 'StateTooLarge',
      message: expect.stringContaining('output of "A"'),
    });
    await expect(of(half)).rejects.toMatchObject({
      name: 'StateTooLarge',
      message: expect.stringContaining('state before "B"'),
    });
    await expect(of('x'.repeat(1000))).resolves.toBeDefined();
    expect(calls).toEqual(['b']);
  });

  test('is what JSON can carry, as on AWS', async () => {
    const definition = machine('A', { A: task('a', { End: true }) });
    const run = runtime({ definition, steps: steps({ a: () => ({ at: new Date(0), gone: undefined }) }) });
    expect(await run.run({}, options)).toEqual({ a: { at: '1970-01-01T00:00:00.000Z' } });
  });
});

describe('a task that takes too long', () => {
  test('is signalled, and has ended before its retry or what a catcher leads to', async () => {
    let [running, most, calls] = [0, 0, 0];
    const again = [{ ErrorEquals: ['States.Timeout'], IntervalSeconds: 1, MaxAttempts: 1, BackoffRate: 1 }];
    const definition = machine('A', {
      A: task('a', { TimeoutSeconds: 1, Retry: again, Catch: catchAll, End: true }),
      ...told,
    });
    const slow = async (_: unknown, signal: AbortSignal) => {
      calls += 1;
      most = Math.max(most, ++running);
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      await sleep(100);
      running -= 1;
    };
    const tell = ({ failure }: Given) => expect([running, failure.Error]).toEqual([0, 'States.Timeout']);
    const run = runtime({ definition, steps: steps({ a: slow, tell }) });
    await expect(run.run({}, options)).rejects.toMatchObject({ name: 'StepTimedOut' });
    expect({ running, most, calls }).toEqual({ running: 0, most: 1, calls: 2 });
  });
});

describe('a Map', () => {
  test('of 1 ends an item before the next begins', async () => {
    const log: string[] = [];
    const work = async ({ item }: Given) => {
      log.push(`> ${String(item.value)}`);
      await sleep(item.value === 'a' ? 50 : 1);
      log.push(`< ${String(item.value)}`);
    };
    const definition = machine('M', {
      M: forEach(1, { Work: task('work', { End: true }) }, { Catch: undefined, End: true }),
    });
    await runtime({ definition, steps: steps({ work }) }).run({ items: ['a', 'b'] }, options);
    expect(log).toEqual(['> a', '< a', '> b', '< b']);
  });

  test('never has more items at work than it says, and gives each its own', async () => {
    let [running, most] = [0, 0];
    const seen: unknown[] = [];
    const work = async ({ item }: Given) => {
      most = Math.max(most, ++running);
      seen.push(item);
      await sleep(10);
      running -= 1;
    };
    const definition = machine('M', {
      M: forEach(3, { Work: task('work', { End: true }) }, { Catch: undefined, End: true }),
    });
    const items = [0, null, '', false, 'e', 'f', 'g'];
    await runtime({ definition, steps: steps({ work }) }).run({ items }, options);
    expect(most).toBe(3);
    expect(seen).toEqual(items.map((value, index) => ({ value, index })));
  });

  test('that fails starts no other item, and has none at work when the failure is told', async () => {
    const log: string[] = [];
    const error = broken();
    const work = async ({ item }: Given, signal: AbortSignal) => {
      log.push(`> ${String(item.value)}`);
      if (item.value === 'bad') throw error;
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      await sleep(100);
      log.push(`< ${String(item.value)}`);
    };
    const States = { Work: task('work', { Next: 'More' }), More: task('more', { End: true }) };
    const definition = machine('M', { M: forEach(2, States, { End: true }), ...told });
    const run = runtime({
      definition,
      steps: steps({ work, more: () => log.push('more'), tell: () => log.push('tell') }),
    });
    await expect(run.run({ items: ['good', 'bad', 'late'] }, options)).rejects.toBe(error);
    await sleep(50);
    expect(log).toEqual(['> good', '> bad', '< good', 'tell']);
  });
});

describe('an abort', () => {
  test('signals what runs, starts nothing more, does what a catcher leads to, and gives the reason', async () => {
    const log: string[] = [];
    const stop = new AbortController();
    const reason = new Error('Ctrl-C');
    const work = async ({ item }: Given, signal: AbortSignal) => {
      log.push(`> ${String(item.value)}`);
      await sleep(5_000, undefined, { signal }).catch(() => sleep(50));
      log.push(`< ${String(item.value)}`);
      throw new Error('aborted');
    };
    const definition = machine('M', { M: forEach(1, { Work: task('work', { End: true }) }, { End: true }), ...told });
    const run = runtime({ definition, steps: steps({ work, tell: () => log.push('tell') }) });
    setTimeout(() => stop.abort(reason), 50);
    await expect(run.run({ items: ['a', 'b'] }, { ...options, signal: stop.signal })).rejects.toBe(reason);
    expect(log).toEqual(['> a', '< a', 'tell']);
  });

  test('ends a Wait at once', async () => {
    const States = { W: { Type: 'Wait', SecondsPath: '$.s', Next: 'A' }, A: task('a', { End: true }) };
    const stop = new AbortController();
    const run = runtime({ definition: machine('W', States), steps: steps({ a: () => 1 }) });
    setTimeout(() => stop.abort(new Error('Ctrl-C')), 20);
    await expect(run.run({ s: 300 }, { ...options, signal: stop.signal })).rejects.toThrow('Ctrl-C');
  });

  test('is what a run over its own time ends like', async () => {
    const definition = {
      ...machine('A', { A: task('a', { Catch: catchAll, End: true }), ...told }),
      TimeoutSeconds: 1,
    };
    const log: string[] = [];
    const a = (_: unknown, signal: AbortSignal) => sleep(5_000, undefined, { signal });
    const run = runtime({ definition, steps: steps({ a, tell: () => log.push('tell') }) });
    await expect(run.run({}, options)).rejects.toMatchObject({ name: 'RunTimedOut' });
    expect(log).toEqual(['tell']);
  });
});

describe('a definition and its steps', () => {
  const definition = machine('A', { A: task('a', { Next: 'B' }), B: task('b', { End: true }) });
  test.each([
    ['a task without a step', { a: () => 1 }, 'no step for the task b'],
    ['a step without a task', { a: () => 1, b: () => 1, c: () => 1 }, 'no task for the step c'],
  ])('are refused with %s', (_, runs, message) => {
    expect(() => runtime({ definition, steps: steps(runs) })).toThrow(message);
  });

  test('are refused with the contract of another step', () => {
    const run = async () => 1;
    expect(() =>
      runtime({ definition, steps: { a: local(contract('a'), run), b: local(contract('c'), run) } }),
    ).toThrow('b is given the contract of c');
  });

  test('are refused with anything that the engine would do in its own way', () => {
    expect(() => runtime({ definition: { ...definition, QueryLanguage: 'JSONata' }, steps: {} })).toThrow(
      'QueryLanguage',
    );
  });
});
