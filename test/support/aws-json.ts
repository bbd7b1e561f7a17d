import type { IncomingMessage, ServerResponse } from 'node:http';
import { bodyOf, type Loopback, serve } from './loopback.ts';

/** Answers an operation of a service that speaks AWS's JSON protocol. */
export type JsonOperation = (input: never) => unknown;

/** An error as such a service tells it. */
export class ServiceFault extends Error {
  readonly status: number;
  constructor(name: string, message = `the fake says ${name}`, status = 400) {
    super(message);
    this.name = name;
    this.status = status;
  }
}

/** The answer is lost after the call took effect. */
export class AnswerLost extends Error {}

/** AWS services on loopback, by the names of their operations, for real SDK clients. Signatures are not checked. */
export function serveAwsJson(operations: Readonly<Record<string, JsonOperation>>): Promise<Loopback> {
  return serve(async (request: IncomingMessage, response: ServerResponse) => {
    const operation = String(request.headers['x-amz-target']).split('.').at(-1) ?? '';
    const input = JSON.parse(await bodyOf(request)) as never;
    const tell = (status: number, body: unknown) =>
      response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' }).end(JSON.stringify(body));
    try {
      const answer = operations[operation];
      if (answer === undefined) throw new ServiceFault('UnknownOperationException');
      tell(200, await answer(input));
    } catch (error) {
      if (error instanceof ServiceFault) tell(error.status, { __type: error.name, message: error.message });
      else if (error instanceof AnswerLost) response.destroy();
      else tell(500, { __type: 'InternalFailure', message: String(error) });
    }
  });
}
