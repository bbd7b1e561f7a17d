import { describe, expect, test } from '@jest/globals';
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
