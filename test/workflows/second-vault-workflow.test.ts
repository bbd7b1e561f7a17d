import { describe, expect, test } from '@jest/globals';
import { VaultUnavailable } from '../../core/vault.ts';
import { copyVault } from '../../lambdas/copy-vault/contract.ts';
import { local, runtime } from '../../local/runtime.ts';
import { CopyRefused } from '../../vault/copy-object.ts';
import { emitted } from '../support/workflows.ts';

/** The real definition; `turn` answers whether turn `n`, from 1, has brought everything. */
function copying(turn: (n: number) => boolean) {
  let turns = 0;
  const step = local(copyVault, async () => {
    turns += 1;
    return { done: turn(turns), objects: 1, bytes: 1 };
  });
  const definition = emitted('second-vault');
  const run = () => runtime({ definition, steps: { copyVault: step } }).run({}, { executionId: 'exec-1' });
  return { run, turns: () => turns };
}

describe('a run of the copy', () => {
  test('takes turn after turn until everything is there, and then succeeds', async () => {
    const { run, turns } = copying((n) => n === 5);
    await run();
    expect(turns()).toBe(5);
  });

  test('asks again when a vault does not answer', async () => {
    const { run, turns } = copying((n) => {
      if (n === 1) throw new VaultUnavailable('away', 'Wait.');
      return true;
    });
    await run();
    expect(turns()).toBe(2);
  });

  test('fails at once, and by its name, when the first vault is damaged: the alarm counts successes', async () => {
    const { run, turns } = copying(() => {
      throw new CopyRefused(['sets/a/runs/b/c']);
    });
    await expect(run()).rejects.toMatchObject({ name: 'CopyRefused' });
    expect(turns()).toBe(1);
  });
});
