import { describe, expect, test } from '@jest/globals';
import { Instant } from '../../core/names.ts';
import { RdsUnavailable } from '../../core/rds.ts';
import { LackingSnapshot, SnapshotNotCopied } from '../../core/snapshot-copies.ts';
import { VaultUnavailable } from '../../core/vault.ts';
import { copySnapshots } from '../../lambdas/copy-snapshots/contract.ts';
import { copyVault } from '../../lambdas/copy-vault/contract.ts';
import { local, runtime } from '../../local/runtime.ts';
import { CopyRefused } from '../../vault/copy-object.ts';
import { emitted } from '../support/workflows.ts';

const lookUntil = Instant.parse('2026-11-24T12:20:00.000Z');
const snapshots = [LackingSnapshot.parse({ node: 'validator-1', seq: 1, component: 'participant' })];

/** The real definition; `turn` and `look` answer whether the one of number `n`, from 1, has left nothing to be done. */
function copying(turn: (n: number) => boolean, look: (n: number) => boolean = () => true) {
  let turns = 0;
  const looks: unknown[] = [];
  const turning = local(copyVault, async () => {
    turns += 1;
    const done = turn(turns);
    return { done, objects: 1, bytes: 1, snapshots: done ? snapshots : [], lookUntil };
  });
  const looking = local(copySnapshots, async (input) => {
    looks.push(input);
    const done = look(looks.length);
    return { done, waitSeconds: done ? 0 : 1, copied: 1, going: 0, waiting: 0 };
  });
  const definition = emitted('second-vault');
  const steps = { copyVault: turning, copySnapshots: looking };
  const run = () => runtime({ definition, steps }).run({}, { executionId: 'exec-1' });
  return { run, turns: () => turns, looks };
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

  test('looks at what the last turn found lacking, once it has every object, until nothing is to be waited for', async () => {
    const { run, turns, looks } = copying(
      (n) => n === 2,
      (n) => n === 3,
    );
    await run();
    expect(turns()).toBe(2);
    expect(looks).toEqual(Array(3).fill({ snapshots, lookUntil }));
  });

  test('asks again when RDS does not answer, and fails by its name for a snapshot that cannot be copied', async () => {
    const silent = copying(
      () => true,
      (n) => {
        if (n === 1) throw new RdsUnavailable('a snapshot', 'Throttling');
        return true;
      },
    );
    await silent.run();
    expect(silent.looks).toHaveLength(2);
    const failing = copying(
      () => true,
      () => {
        throw new SnapshotNotCopied('it was deleted', 'Find out by whom.');
      },
    );
    await expect(failing.run()).rejects.toMatchObject({ name: 'SnapshotNotCopied' });
    expect(failing.looks).toHaveLength(1);
  });
});
