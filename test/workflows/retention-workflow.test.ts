import { describe, expect, test } from '@jest/globals';
import { KmsUnavailable } from '../../core/kms.ts';
import { NodeName } from '../../core/names.ts';
import { VaultUnavailable } from '../../core/vault.ts';
import { listNodes } from '../../lambdas/list-nodes/contract.ts';
import { retainNode } from '../../lambdas/retain-node/contract.ts';
import { local, runtime } from '../../local/runtime.ts';
import { RetentionRefused } from '../../vault/retain.ts';
import { emitted } from '../support/workflows.ts';

const NODES = ['validator-1', 'validator-2', 'validator-3', 'besu-1', 'besu-2', 'besu-3'];
const NOTHING = { expired: [], snapshots: [], busy: [], swept: 0, bytes: 0, damaged: [] };

/** The real definition; `fault` is thrown before a node's answer. */
function retention(fault: (node: string, times: number) => void = () => {}) {
  const calls: string[] = [];
  let [now, most] = [0, 0];
  const steps = {
    listNodes: local(listNodes, async () => ({ nodes: NODES.map((node) => NodeName.parse(node)) })),
    retainNode: local(retainNode, async ({ node }) => {
      calls.push(node);
      most = Math.max(most, (now += 1));
      await new Promise((resolve) => setTimeout(resolve, 5));
      now -= 1;
      fault(node, calls.filter((each) => each === node).length);
      return NOTHING;
    }),
  };
  const run = () => runtime({ definition: emitted('retention'), steps }).run({}, { executionId: 'exec-1' });
  return { calls, run, most: () => most };
}

describe('a run of retention', () => {
  test('goes through every node of the vault once, four at a time', async () => {
    const { calls, run, most } = retention();
    await run();
    expect(calls.toSorted()).toEqual(NODES.toSorted());
    expect(most()).toBe(4);
  });

  test('leaves a node whose chain is in doubt as it is, and holds up no other', async () => {
    const { calls, run } = retention((node) => {
      if (node === 'validator-1') throw new RetentionRefused('in doubt', 'Verify.');
    });
    await run();
    expect(calls.toSorted()).toEqual(NODES.toSorted());
  });

  test.each([new VaultUnavailable('away', 'Wait.'), new KmsUnavailable('a key', 'ThrottlingException')])(
    'asks again when the vault or KMS does not answer: %s',
    async (error) => {
      const { calls, run } = retention((node, times) => {
        if (node === 'besu-1' && times === 1) throw error;
      });
      await run();
      expect(calls.filter((node) => node === 'besu-1')).toHaveLength(2);
    },
  );
});
