import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, jest, test } from '@jest/globals';
import { executionsOfMachine, STEP_LIMITS } from '../../aws/executions.ts';
import { historyWorld } from '../support/toy-history.ts';

const MACHINE = 'arn:aws:states:eu-central-1:111111111111:stateMachine:ledgerhold-acme_Deliveries';
const access = { region: 'eu-central-1', credentials: { accessKeyId: 'key', secretAccessKey: 'secret' } };

/** Takes every request and answers none. */
async function silentServer() {
  const asked: string[] = [];
  const server = createServer(({ url }) => void asked.push(String(url)));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    ...{ asked, endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}` },
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

test('a chain is sealed, and its run ends well within the limits, though Step Functions never answers', async () => {
  await using server = await silentServer();
  const it = await historyWorld(3);
  const failure = jest.fn();
  // A tenth of the waits that are deployed.
  const { connectionTimeout, socketTimeout } = STEP_LIMITS.requestHandler;
  const requestHandler = { connectionTimeout: connectionTimeout / 10, socketTimeout: socketTimeout / 10 };
  const deliveries = executionsOfMachine(MACHINE, { ...access, endpoint: server.endpoint, requestHandler });
  Object.assign(it.ports, { deliveries, journal: { note: () => {}, failure } });
  const start = performance.now();
  expect((await it.run('one')).sealChain).toMatchObject({ seq: 1, head: 2 });
  expect(performance.now() - start).toBeLessThan(5_000);
  expect(server.asked).toHaveLength(STEP_LIMITS.maxAttempts);
  expect(failure).toHaveBeenCalledTimes(1);
  expect(String(failure.mock.calls[0]?.[2])).toContain('Step Functions gave no answer');
}, 10_000);

test('a step waits at most 15 s for Step Functions, all attempts together', () => {
  const { requestHandler, maxAttempts } = STEP_LIMITS;
  const each = requestHandler.connectionTimeout + requestHandler.socketTimeout;
  expect(each * maxAttempts).toBeLessThanOrEqual(15_000);
});
