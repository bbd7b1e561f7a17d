import { expect, test } from '@jest/globals';
import { TURN_SECONDS } from '../../core/member-calls.ts';
import { pagesOf } from '../../core/member-pages.ts';
import { MemberId } from '../../core/members.ts';
import { deliverMember } from '../../lambdas/deliver-member/contract.ts';
import { listMembers } from '../../lambdas/list-members/contract.ts';
import { startDeliveries } from '../../lambdas/start-deliveries/contract.ts';
import { local, type RuntimeEvent, runtime } from '../../local/runtime.ts';
import { emitted } from '../support/workflows.ts';

/** What Step Functions allows. */
const STATE = 256 * 1024;
const EVENTS = 25_000;
/** Events a state leaves behind: entered and exited, and of a task that it was scheduled, started and has succeeded. */
const OF_A_TASK = 5;
const OF_ANOTHER = 2;

/** The real definition, its largest state in bytes, and at most so many events as each state of a turn leaves behind. */
async function simulated(props: Omit<Parameters<typeof runtime>[0], 'onEvent'>, input: object) {
  let [tasks, largest] = [0, 0];
  const size = (value: unknown) => {
    largest = Math.max(largest, Buffer.byteLength(JSON.stringify(value)));
  };
  const onEvent = (event: RuntimeEvent) => {
    if (event.kind === 'started') tasks += 1;
    size(event.input);
    if (event.kind === 'ended') size(event.output);
  };
  size(await runtime({ ...props, onEvent }).run(input, { executionId: 'e' }));
  // A task has at most a turn of a Map beside it (started and succeeded), a Map, a choice and an end.
  return { events: tasks * (OF_A_TASK + 4 * OF_ANOTHER) + OF_ANOTHER, largest };
}

test('ten thousand members with the longest names are looked at within what one execution may hold', async () => {
  const waiting = new Set(Array.from({ length: 10_000 }, (_, n) => MemberId.parse(`bank-${n}`.padEnd(40, 'x'))));
  let looks = 0;
  const listing = local(listMembers, async () => {
    looks += 1;
    const { pages, more } = pagesOf([...waiting]);
    return { pages, members: 10_000, more };
  });
  const starting = local(startDeliveries, async ({ page }) => {
    for (const member of page) waiting.delete(member);
    return { started: page.length };
  });
  const steps = { listMembers: listing, startDeliveries: starting };
  const { events, largest } = await simulated({ definition: emitted('delivery'), steps }, {});
  console.info(`10,000 members: ${looks} looks, ${events} events at most, largest state ${largest} bytes`);
  expect([waiting.size, looks]).toEqual([0, 3]);
  expect(largest).toBeLessThan(STATE);
  expect(events).toBeLessThan(EVENTS);
});

test('ten thousand files go to a member within what one execution may hold, though a turn bring few', async () => {
  // As long as one execution may take: 160 turns of nine minutes, 63 files a turn.
  const definition = emitted('member-delivery');
  const turns = Math.ceil(definition.TimeoutSeconds / TURN_SECONDS);
  let turn = 0;
  const delivering = local(deliverMember, async () => {
    turn += 1;
    const more = turn < turns;
    return { outcome: more ? 'more' : 'whole', more, objects: Math.ceil(10_000 / turns) } as const;
  });
  const props = { definition, steps: { deliverMember: delivering } };
  const { events, largest } = await simulated(props, { member: 'bank-a'.padEnd(40, 'x') });
  console.info(`10,000 files in ${turn} turns: ${events} events at most, largest state ${largest} bytes`);
  expect(turn).toBe(turns);
  expect(largest).toBeLessThan(STATE);
  expect(events).toBeLessThan(EVENTS);
});
