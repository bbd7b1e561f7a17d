import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import * as z from 'zod';
import { defineStep } from '../../core/step.ts';
import { VaultUnavailable } from '../../core/vault.ts';
import { serve } from '../../lambdas/serve.ts';

const double = defineStep({
  name: 'double',
  env: ['FACTOR', 'PREFIX'],
  input: z.strictObject({ n: z.number() }),
  output: z.strictObject({ n: z.number() }),
  errors: [VaultUnavailable],
});

let written: string[] = [];
beforeEach(() => {
  written = [];
  for (const stream of [process.stdout, process.stderr]) {
    jest.spyOn(stream, 'write').mockImplementation((text) => written.push(String(text)) > 0);
  }
});
afterEach(() => {
  jest.restoreAllMocks();
});

/** The lines of the log, as JSON; what the logger adds of itself left out. */
const lines = () =>
  written
    .join('')
    .trim()
    .split('\n')
    .map((line) => {
      const { timestamp: _, service: __, sampling_rate: ___, ...rest } = JSON.parse(line) as Record<string, unknown>;
      return rest;
    });

describe('a served step', () => {
  test('makes its ports of the environment once, and works for every call', async () => {
    let made = 0;
    const handler = serve(
      double,
      async ({ n }, { factor }: { factor: number }) => ({ n: n * factor }),
      ({ FACTOR }) => ({ factor: Number(FACTOR), made: ++made }),
      { FACTOR: '2', PREFIX: '' },
    );
    expect([await handler({ n: 1 }), await handler({ n: 0 })]).toEqual([{ n: 2 }, { n: 0 }]);
    expect(made).toBe(1);
  });

  test('hands over no more of the environment than the contract names, and an empty value is a value', () => {
    const given: unknown[] = [];
    serve(
      double,
      async (input) => input,
      (env) => given.push(env),
      { FACTOR: '2', PREFIX: '', AWS_SECRET_ACCESS_KEY: 'x' },
    );
    expect(given).toEqual([{ FACTOR: '2', PREFIX: '' }]);
  });

  test('names every variable that is missing before the first call', () => {
    expect(() => serve(double, async (input) => input, Object, {})).toThrow(
      expect.objectContaining({ name: 'EnvironmentIncomplete', message: expect.stringContaining('FACTOR, PREFIX') }),
    );
  });

  test('refuses an input or output that is not in the contract, and does not repeat it', async () => {
    const handler = serve(double, async () => ({ n: 'secret' }) as never, Object, { FACTOR: '', PREFIX: '' });
    for (const event of [{ n: 'secret' }, { n: 1, secret: 2 }, undefined, { n: 1 }]) {
      await expect(handler(event)).rejects.toMatchObject({
        name: 'ContractBroken',
        message: expect.not.stringMatching(/'secret'|: secret/),
      });
    }
  });

  test('passes an error as it was thrown', async () => {
    const error = new VaultUnavailable('it is away', 'Wait.');
    const handler = serve(double, () => Promise.reject(error), Object, { FACTOR: '', PREFIX: '' });
    await expect(handler({ n: 1 })).rejects.toBe(error);
  });
});

const capture = defineStep({
  name: 'capture',
  env: [],
  input: z.strictObject({
    ticket: z.strictObject({
      network: z.string(),
      node: z.string(),
      slot: z.string(),
      fence: z.int(),
      component: z.string(),
    }),
    handle: z.string(),
  }),
  output: z.strictObject({ ended: z.boolean(), handle: z.string() }),
  errors: [VaultUnavailable],
});
const ticket = {
  network: 'acme',
  node: 'validator-1',
  slot: '2026-01-01T00:00:00Z',
  fence: 2,
  component: 'participant',
};
const event = { ticket, handle: 'sentinel-in' };
const context = { awsRequestId: 'request-1' };

describe('the log of a step', () => {
  test('says what each call is about and what came of it, and no more of its input and output', async () => {
    const handler = serve(capture, async () => ({ ended: false, handle: 'sentinel-out' }), Object, {});
    await handler(event, context);
    const about = { level: 'INFO', step: 'capture', request: 'request-1', ...ticket };
    expect(lines()).toEqual([
      { ...about, message: 'started' },
      { ...about, message: 'ended', ended: false },
    ]);
    expect(written.join('')).not.toContain('sentinel');
  });

  test('tells a failure with its remedy, and the execution that holds a slot', async () => {
    const claim = defineStep({
      ...capture,
      name: 'claim',
      input: z.strictObject({ run: z.looseObject({}), holder: z.string() }),
    });
    const handler = serve(claim, () => Promise.reject(new VaultUnavailable('it is away', 'Wait.')), Object, {});
    await expect(handler({ run: { ...ticket, pollSeconds: 20 }, holder: 'execution-1' })).rejects.toThrow('it is away');
    const about = { step: 'claim', holder: 'execution-1', ...ticket };
    expect(lines()).toEqual([
      { level: 'INFO', message: 'started', ...about },
      {
        ...{ level: 'ERROR', message: 'failed', ...about },
        failure: { name: 'VaultUnavailable', message: 'it is away', remedy: 'Wait.' },
      },
    ]);
  });

  test('tells of an error that is not ours its name alone, since it may quote what it was given', async () => {
    const handler = serve(capture, async () => JSON.parse('{ "key": sentinel }') as never, Object, {});
    await expect(handler(event)).rejects.toThrow(SyntaxError);
    expect(lines().at(-1)).toMatchObject({ message: 'failed', failure: { name: 'SyntaxError' } });
    expect(written.join('')).not.toContain('sentinel');
  });

  test('tells of an input that is refused nothing but that it was', async () => {
    const handler = serve(capture, async () => ({ ended: true, handle: '' }), Object, {});
    await expect(handler({ ticket: { ...ticket, node: 7 }, handle: 'sentinel' })).rejects.toThrow('cannot work');
    expect(lines()).toEqual([
      expect.objectContaining({ message: 'failed', failure: expect.objectContaining({ name: 'ContractBroken' }) }),
    ]);
    expect(written.join('')).not.toContain('sentinel');
  });
});
