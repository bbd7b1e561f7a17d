import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { HeadObjectCommand } from '@aws-sdk/client-s3';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { memberClient, s3Client } from '../../aws/s3-client.ts';

/** As many as sixteen passes of a delivery may ask for together. */
const TOGETHER = 300;

/** Answers nobody before all are there. */
const waiting: ServerResponse[] = [];
const server = createServer((_request, response) => {
  waiting.push(response);
  if (waiting.length === TOGETHER) for (const each of waiting.splice(0)) each.end();
});
beforeEach(() => new Promise<void>((done) => void server.listen(0, '127.0.0.1', done)));
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((done) => server.close(done));
});

test.each([s3Client, memberClient])('%p has a connection for each call that is under way', async (clientOf) => {
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const credentials = { accessKeyId: 'a', secretAccessKey: 'b' };
  const client = clientOf({ endpoint, region: 'eu-central-1', credentials });
  const calls = Array.from({ length: TOGETHER }, () => client.send(new HeadObjectCommand({ Bucket: 'b', Key: 'k' })));
  expect(await Promise.all(calls)).toHaveLength(TOGETHER);
  client.destroy();
});
