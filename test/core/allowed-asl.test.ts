import { describe, expect, test } from '@jest/globals';
import { allowed } from '../../core/allowed-asl.ts';
import { emitted } from '../support/workflows.ts';

/** The states that the faults below are put into. */
function parts() {
  const definition = emitted('backup');
  const { States } = definition;
  const waves = States['Wave after wave'];
  const inner = waves.ItemProcessor.States['Side by side'];
  const { 'Poll the capture': poll, Wait: wait, 'Has it ended?': ended } = inner.ItemProcessor.States;
  return {
    definition,
    States,
    waves,
    inner,
    poll,
    wait,
    ended,
    claim: States['Claim the slot'],
    failed: States.Failed,
  };
}
type Parts = ReturnType<typeof parts>;

test('the backup is allowed', () => {
  expect(() => allowed(emitted('backup'))).not.toThrow();
});

describe('a definition is refused', () => {
  test.each<[string, (its: Parts) => unknown]>([
    ['in JSONata', ({ definition }) => (definition.QueryLanguage = 'JSONata')],
    ['in JSONata for one state', ({ poll }) => (poll.QueryLanguage = 'JSONata')],
    ['with Arguments', ({ poll }) => (poll.Arguments = {})],
    ['with variables', ({ poll }) => (poll.Assign = { n: 1 })],
    ['without a timeout of its own', ({ definition }) => delete definition.TimeoutSeconds],
    ['with a task that has no timeout', ({ poll }) => delete poll.TimeoutSeconds],
    ['with a timeout that Node cannot wait for', ({ poll }) => (poll.TimeoutSeconds = 99_999_999)],
    ['with a timeout from the state', ({ poll }) => (poll.TimeoutSecondsPath = '$.t')],
    ['with a heartbeat', ({ poll }) => (poll.HeartbeatSeconds = 5)],
    ['with a service integration', ({ poll }) => (poll.Resource = 'arn:aws:states:::lambda:invoke')],
    ['with .sync', ({ poll }) => (poll.Resource = 'arn:aws:states:::ecs:runTask.sync')],
    ['with a task token', ({ poll }) => (poll.Resource = 'arn:aws:states:::lambda:invoke.waitForTaskToken')],
    ['with a misspelt integration', ({ poll }) => (poll.Resource = 'arn:aws:lamda:eu-west-1:1:function:x')],
    ['with InputPath', ({ poll }) => (poll.InputPath = '$.ticket')],
    ['with OutputPath', ({ poll }) => (poll.OutputPath = '$.ticket')],
    ['with ResultSelector', ({ poll }) => (poll.ResultSelector = { 'a.$': '$$.Execution.Id' })],
    ['with ResultPath $', ({ poll }) => (poll.ResultPath = '$')],
    ['with a ResultPath in brackets', ({ poll }) => (poll.ResultPath = "$['poll-capture']")],
    ['with an intrinsic function', ({ poll }) => (poll.Parameters['id.$'] = 'States.UUID()')],
    ['with a context that the engine has not', ({ poll }) => (poll.Parameters['at.$'] = '$$.State.EnteredTime')],
    ['with $$.Map in a task', ({ poll }) => (poll.Parameters['at.$'] = '$$.Map.Item.Value')],
    ['with an array in a template', ({ poll }) => (poll.Parameters.list = ['$.a'])],
    ['with ItemReader', ({ waves }) => (waves.ItemReader = {})],
    ['with ItemBatcher', ({ waves }) => (waves.ItemBatcher = {})],
    ['with ToleratedFailurePercentage', ({ waves }) => (waves.ToleratedFailurePercentage = 5)],
    ['with ResultWriter', ({ waves }) => (waves.ResultWriter = {})],
    ['with a distributed Map', ({ inner }) => (inner.ItemProcessor.ProcessorConfig.Mode = 'DISTRIBUTED')],
    ['with a Map of no bound', ({ waves }) => delete waves.MaxConcurrency],
    ['with a Map of bound 0', ({ waves }) => (waves.MaxConcurrency = 0)],
    ['with an Iterator', ({ waves }) => (waves.Iterator = waves.ItemProcessor)],
    ['with a Parallel', ({ States }) => (States.Done = { Type: 'Parallel', Branches: [], End: true })],
    ['with a Pass', ({ States }) => (States.Done = { Type: 'Pass', Result: 0, End: true })],
    ['with a retry of everything', ({ poll }) => poll.Retry.push(retrier({ ErrorEquals: ['States.ALL'] }))],
    [
      'with a retry of States.TaskFailed',
      ({ poll }) => poll.Retry.push(retrier({ ErrorEquals: ['States.TaskFailed'] })),
    ],
    ['with a BackoffRate below 1', ({ poll }) => poll.Retry.push(retrier({ BackoffRate: 0.5 }))],
    ['with a catcher of one error', ({ claim }) => (claim.Catch[0].ErrorEquals = ['VaultUnavailable'])],
    ['with a catcher that drops the state', ({ claim }) => delete claim.Catch[0].ResultPath],
    ['with a wait by the clock', ({ wait }) => (wait.Timestamp = '2026-01-01T00:00:00Z')],
    ['with an unknown comparison', ({ ended }) => (ended.Choices[0].BooleanEqual = true)],
    ['with two comparisons in one rule', ({ ended }) => (ended.Choices[0].StringEquals = 'x')],
    ['with a choice without a default', ({ ended }) => delete ended.Default],
    ['without a cause', ({ failed }) => delete failed.CausePath],
    ['with an error in two ways', ({ failed }) => (failed.Error = 'x')],
    ['with a cause made by an intrinsic', ({ failed }) => (failed.CausePath = "States.Format('{}', $.a)")],
    ['with a way to nowhere', ({ poll }) => (poll.Next = 'Nowhere')],
    ['with a catcher to nowhere', ({ claim }) => (claim.Catch[0].Next = 'Nowhere')],
    ['with a start that is not there', ({ inner }) => (inner.ItemProcessor.StartAt = 'Nowhere')],
    ['with a state that nobody reaches', ({ States }) => (States.Lonely = { Type: 'Succeed' })],
    ['with a state that neither ends nor goes on', ({ poll }) => delete poll.Next],
    ['with a state that both ends and goes on', ({ poll }) => (poll.End = true)],
  ])('%s', (_, spoil) => {
    const its = parts();
    spoil(its);
    expect(() => allowed(its.definition)).toThrow(expect.objectContaining({ name: 'DefinitionRefused' }));
  });
});

const retrier = (more: object) => ({ ErrorEquals: ['A'], IntervalSeconds: 1, MaxAttempts: 1, BackoffRate: 1, ...more });
