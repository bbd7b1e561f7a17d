import { describe, expect, test } from '@jest/globals';
import { memberExecutionName } from '../../core/deployed-names.ts';
import { StepFunctionsUnavailable } from '../../core/executions.ts';
import { MemberId } from '../../core/members.ts';
import { VaultUnavailable } from '../../core/vault.ts';
import { deliverMember } from '../../lambdas/deliver-member/contract.ts';
import { listMembers } from '../../lambdas/list-members/contract.ts';
import { startDeliveries } from '../../lambdas/start-deliveries/contract.ts';
import { local, runtime } from '../../local/runtime.ts';
import { emitted } from '../support/workflows.ts';

const ids = (...names: string[]) => names.map((name) => MemberId.parse(name));

describe('a look at the members', () => {
  /** The real definition over looks that answer in turn. */
  function looking(looks: readonly { readonly pages: string[][]; readonly more: boolean }[], failures = 0) {
    const started: string[] = [];
    let [look, failed] = [0, 0];
    const listing = local(listMembers, async () => {
      const { pages, more } = looks[look++] ?? { pages: [], more: false };
      return { pages: pages.map((page) => ids(...page)), members: 3, more };
    });
    const starting = local(startDeliveries, async ({ page }) => {
      if (failed++ < failures) throw new StepFunctionsUnavailable('throttled', 'Wait.');
      started.push(...page);
      return { started: page.length };
    });
    const steps = { listMembers: listing, startDeliveries: starting };
    const run = () => runtime({ definition: emitted('delivery'), steps }).run({}, { executionId: 'exec-1' });
    return { run, started, looks: () => look };
  }

  test('starts a delivery to each that lacks something, and looks again while there are others', async () => {
    const { run, started, looks } = looking([
      { pages: [['a', 'b'], ['c']], more: true },
      { pages: [['d']], more: false },
    ]);
    await run();
    expect([started.toSorted(), looks()]).toEqual([['a', 'b', 'c', 'd'], 2]);
  });

  test('ends at once where nobody lacks anything', async () => {
    const { run, started, looks } = looking([{ pages: [], more: false }]);
    await run();
    expect([started, looks()]).toEqual([[], 1]);
  });

  test('asks again where starts are throttled', async () => {
    const { run, started } = looking([{ pages: [['a']], more: false }], 2);
    await run();
    expect(started).toEqual(['a']);
  });
});

describe('the delivery to one member', () => {
  function delivering(turns: readonly (boolean | Error)[]) {
    const asked: string[] = [];
    const turn = local(deliverMember, async ({ member }) => {
      const answer = turns[asked.length];
      asked.push(member);
      if (answer instanceof Error) throw answer;
      return { outcome: answer === true ? 'more' : 'whole', more: answer === true, objects: 1 } as const;
    });
    const definition = emitted('member-delivery');
    const input = { member: 'bank-a' };
    return {
      run: () => runtime({ definition, steps: { deliverMember: turn } }).run(input, { executionId: 'e' }),
      asked,
    };
  }

  test('takes turn after turn while there is more', async () => {
    const { run, asked } = delivering([true, true, true, false]);
    await run();
    expect(asked).toEqual(Array(4).fill('bank-a'));
  });

  test('asks again when the vault is away, and fails by its name when it stays away', async () => {
    const away = new VaultUnavailable('away', 'Wait.');
    const healing = delivering([away, false]);
    await healing.run();
    expect(healing.asked).toHaveLength(2);
    await expect(delivering(Array(9).fill(away)).run()).rejects.toMatchObject({ name: 'VaultUnavailable' });
  });
});

test('an execution is named once a minute, within what Step Functions takes, and tells whose it is', async () => {
  const longest = 'x'.repeat(40);
  const name = memberExecutionName(longest, new Date('2026-11-29T12:34:56Z'));
  expect(name).toBe(`${longest}_20261129T1234`);
  // Of the newest version that a member can have.
  expect(memberExecutionName(longest, new Date('2026-11-29T12:34:56Z'), 99_999_999).length).toBeLessThanOrEqual(80);
});
