import { beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Journal } from '../../core/ports.ts';
import type { AnyStep, InputOf, OutputOf } from '../../core/step.ts';
import { VaultUnavailable } from '../../core/vault.ts';
import { copySnapshots } from '../../lambdas/copy-snapshots/contract.ts';
import { copyVault } from '../../lambdas/copy-vault/contract.ts';
import { run as runCopyVault } from '../../lambdas/copy-vault/run.ts';
import { listNodes } from '../../lambdas/list-nodes/contract.ts';
import { run as runListNodes } from '../../lambdas/list-nodes/run.ts';
import { retainNode } from '../../lambdas/retain-node/contract.ts';
import { run as runRetainNode } from '../../lambdas/retain-node/run.ts';
import { serve } from '../../lambdas/serve.ts';
import { type LocalStep, local, runtime } from '../../local/runtime.ts';
import { MemoryVault } from '../fakes/memory-vault.ts';
import { type AlarmProperties, type Datapoint, stateOf } from '../support/alarm-state.ts';
import { backupToy, newKeys, toyProtocol } from '../support/toy-sets.ts';
import { watchedStack } from '../support/watched-stack.ts';
import { emitted } from '../support/workflows.ts';

const keys = newKeys();
const day = (n: number) => new Date(Date.UTC(2026, 10, n));
const clock = { now: () => day(28) };
const NETWORK = 'ledgerhold-toy-net_';

let made: ReturnType<typeof watchedStack>;
beforeAll(() => {
  made = watchedStack('toy-net', { 'toy-1': ['app', 'ledger'] });
}, 60_000);

let vault: MemoryVault;
let said: string[];
beforeEach(async () => {
  [vault, said] = [new MemoryVault(), []];
  for (const n of [1, 2, 3]) await backupToy({ vault, keys, now: () => day(n) }, `slot-${n}`, { reason: 'manual' });
});

const journal: Journal = {
  note: () => {},
  failure: (what, about, error) => void said.push(`${what} ${JSON.stringify(about)} ${String(error)}`),
};

/** The alarm of the template, its dimensions as text, so that references compare. */
function alarmNamed(name: string): AlarmProperties {
  const found = made.alarms.find(({ AlarmName }) => AlarmName === `${NETWORK}${name}`);
  if (found === undefined) throw new Error(`the template has no ${name}`);
  return { ...found, Dimensions: found.Dimensions.map(({ Name, Value }) => ({ Name, Value: JSON.stringify(Value) })) };
}

/** What AWS counts itself, of the resource of this ARN or name. */
function counting(namespace: string, name: string, dimension: string, resource: string) {
  const points: Datapoint[] = [];
  const dimensions = { [dimension]: made.idOf(resource) };
  return { points, count: () => void points.push({ namespace, name, dimensions, value: 1 }) };
}

/** The step as it is deployed, but for its ports; `onError` is called for each call that Lambda counts as an error. */
function deployed<const S extends AnyStep, Ports>(
  step: S,
  run: (input: InputOf<S>, ports: Ports) => Promise<OutputOf<S>>,
  ports: Ports,
  onError = () => {},
): LocalStep {
  const environment = Object.fromEntries(step.env.map((name) => [name, '']));
  const handler = serve(step, run, () => ports, environment, journal);
  return local(step, async (input) => {
    try {
      return await handler(input);
    } catch (error) {
      onError();
      throw error;
    }
  });
}

describe('RETENTION_FAILED', () => {
  /** Every hour's run until now: what it has counted, of the step that the stack has. */
  async function retained(janitor = vault) {
    const lambda = made.backup.retention?.steps.retainNode.lambda.functionName ?? '';
    const errors = counting('AWS/Lambda', 'Errors', 'FunctionName', lambda);
    const ports = {
      ...{ vault, janitor, signer: keys.signer, clock, protocolNamed: () => toyProtocol },
      snapshots: { list: async () => [], remove: async () => 'removed' as const },
      policy: { keep: { keepLast: 2 }, timeZone: 'UTC' },
    };
    const steps = {
      listNodes: deployed(listNodes, runListNodes, { vault }),
      retainNode: deployed(retainNode, runRetainNode, ports, errors.count),
    };
    await runtime({ definition: emitted('retention'), steps }).run({}, { executionId: 'exec-1' });
    return errors.points;
  }

  test('is not raised while what should expire does', async () => {
    expect(stateOf(alarmNamed('RETENTION_FAILED'), [await retained()])).toBe('OK');
    expect(said).toEqual([]);
  });

  test('is raised by a node whose chain is in doubt, though the workflow goes on', async () => {
    vault.objects.delete('sets/toy-1/manifests/00000002.json');
    const points = await retained();
    expect(points).toHaveLength(1);
    expect(stateOf(alarmNamed('RETENTION_FAILED'), [points])).toBe('ALARM');
    expect(said.join()).toMatch(/failed .*"step":"retain-node".*RetentionRefused/);
  });

  test('is raised by a vault that does not let go', async () => {
    class Locked extends MemoryVault {
      override readonly objects = vault.objects;
      override remove(): Promise<boolean> {
        return Promise.reject(new VaultUnavailable('locked until 2027', 'Wait.'));
      }
    }
    expect(stateOf(alarmNamed('RETENTION_FAILED'), [await retained(new Locked())])).toBe('ALARM');
    expect(said.join()).toContain('locked until 2027');
  }, 60_000);
});

describe('RETENTION_SILENT', () => {
  /** Two hours, in each of which retention starts over this vault, or nothing starts it. */
  async function retained(...vaults: readonly (MemoryVault | undefined)[]) {
    const arn = made.backup.retention?.workflow.stateMachine.stateMachineArn ?? '';
    const hours = vaults.map((each) => ({
      each,
      ...counting('AWS/States', 'ExecutionsSucceeded', 'StateMachineArn', arn),
    }));
    for (const [hour, { each, count }] of hours.entries()) {
      if (each === undefined) continue;
      const steps = {
        listNodes: deployed(listNodes, runListNodes, { vault: each }),
        retainNode: local(retainNode, () => Promise.reject(new VaultUnavailable('locked', 'Wait.'))),
      };
      const machine = runtime({ definition: emitted('retention'), steps });
      await machine.run({}, { executionId: `exec-${hour}` }).then(count, () => {});
    }
    return hours.map(({ points }) => points);
  }
  class Unlisted extends MemoryVault {
    override list(): never {
      throw new VaultUnavailable('no answer', 'Try again.');
    }
  }

  test('is not raised while one execution in two hours comes through, whatever becomes of its nodes', async () => {
    expect(stateOf(alarmNamed('RETENTION_SILENT'), await retained(undefined, vault))).toBe('OK');
  }, 60_000);

  test('is raised by a schedule that starts nothing', async () => {
    expect(stateOf(alarmNamed('RETENTION_SILENT'), await retained(undefined, undefined))).toBe('ALARM');
  });

  test('is raised by a vault whose nodes cannot be listed', async () => {
    const unlisted = new Unlisted();
    expect(stateOf(alarmNamed('RETENTION_SILENT'), await retained(unlisted, unlisted))).toBe('ALARM');
  }, 60_000);
});

describe('SECOND_VAULT_BEHIND', () => {
  /** Two hours, an execution each: what of them AWS counts as succeeded, of the state machine that the stack has. */
  async function copied(second: MemoryVault) {
    const arn = made.backup.secondVault?.workflow.stateMachine.stateMachineArn ?? '';
    const hours = [0, 1].map(() => counting('AWS/States', 'ExecutionsSucceeded', 'StateMachineArn', arn));
    const large = { atLeast: Number.POSITIVE_INFINITY, copy: async () => undefined };
    const steps = {
      copyVault: deployed(copyVault, runCopyVault, { vault, second, large, clock, journal, turn: 60_000 }),
      // No set here refers to a snapshot; what becomes of those is in test/lambdas/copy-snapshots.
      copySnapshots: local(copySnapshots, async ({ snapshots }) => {
        expect(snapshots).toEqual([]);
        return { done: true, waitSeconds: 0, copied: 0, going: 0, waiting: 0 };
      }),
    };
    const machine = runtime({ definition: emitted('second-vault'), steps });
    for (const [hour, { count }] of hours.entries()) {
      await machine.run({}, { executionId: `exec-${hour}` }).then(count, () => {});
    }
    return hours.map(({ points }) => points);
  }

  test('is not raised while the second vault is given what it lacks', async () => {
    const second = new MemoryVault();
    expect(stateOf(alarmNamed('SECOND_VAULT_BEHIND'), await copied(second))).toBe('OK');
    expect([...second.objects.keys()].filter((key) => key.includes('/manifests/')).length).toBeGreaterThan(2);
  });

  test('is raised by damage to the first, which is not copied', async () => {
    vault.objects.delete('sets/toy-1/runs/slot-2/1/app.bin');
    expect(stateOf(alarmNamed('SECOND_VAULT_BEHIND'), await copied(new MemoryVault()))).toBe('ALARM');
    expect(said.join()).toContain('CopyRefused');
  });

  test('is raised by a second vault that is full', async () => {
    class Full extends MemoryVault {
      override putOnce(): Promise<boolean> {
        return Promise.reject(new VaultUnavailable('no space left', 'Make room.'));
      }
    }
    expect(stateOf(alarmNamed('SECOND_VAULT_BEHIND'), await copied(new Full()))).toBe('ALARM');
    expect(said.join()).toContain('no space left');
  }, 60_000);
});
