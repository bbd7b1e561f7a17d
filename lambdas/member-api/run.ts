import { type Context, Hono } from 'hono';
import * as z from 'zod';
import { memberExecutionName } from '../../core/deployed-names.ts';
import { LedgerholdError } from '../../core/errors.ts';
import { ApiRefused, MOST_OF_A_BODY, REFUSALS, ROUTES, type Route, type RouteId } from '../../core/member-api.ts';
import { MemberActRefused, TooManyActs } from '../../core/members.ts';
import type { InputOf, OutputOf } from '../../core/step.ts';
import { VaultUnavailable } from '../../core/vault.ts';
import { readMember } from '../../vault/members.ts';
import { deliverSoon } from '../deliver-soon.ts';
import type { Act, ApiPorts, Call } from './call.ts';
import { type Caller, callerOf, refuseOthers } from './callers.ts';
import type { ApiEvent, memberApi } from './contract.ts';
import { memberActs } from './member-acts.ts';
import { nodeActs } from './node-acts.ts';
import { pages } from './pages.ts';

const ACTS: { readonly [Id in RouteId]: Act<Id> } = { ...memberActs, ...pages, ...nodeActs };

type Env = { Bindings: { readonly caller: Caller | undefined } };

/** Whatever is asked is answered; what is not done is told as `{ error: { name, message, remedy } }`. */
export async function run(event: InputOf<typeof memberApi>, ports: ApiPorts): Promise<OutputOf<typeof memberApi>> {
  // No Request can be made of some of what API Gateway hands over.
  const method = METHODS.includes(event.httpMethod) ? event.httpMethod : 'OPTIONS';
  const response = await router(ports).fetch(requestOf({ ...event, httpMethod: method }), { caller: callerOf(event) });
  const headers = { 'content-type': 'application/json', 'cache-control': 'no-store' };
  return { statusCode: response.status, headers, body: await response.text() };
}

/** What is none of them is answered like one that no route has. */
const METHODS: readonly string[] = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'];

function requestOf({ httpMethod: method, path, queryStringParameters, body, isBase64Encoded }: ApiEvent): Request {
  const query = new URLSearchParams(queryStringParameters ?? {});
  const bytes = Buffer.from(body ?? '', isBase64Encoded ? 'base64' : 'utf8');
  // The host means nothing here, and no path can change it.
  const url = `https://member-api.invalid/${path.replace(/^\/+/, '')}?${query.toString()}`;
  return new Request(url, { method, ...(method !== 'GET' && method !== 'HEAD' && { body: bytes }) });
}

function router(ports: ApiPorts): Hono<Env> {
  const app = new Hono<Env>();
  for (const [name, route] of Object.entries(ROUTES) as [RouteId, Route][]) {
    app.on(route.method, route.path.replace('{id}', ':id'), async (context) => {
      const id = context.req.param('id') ?? '';
      const { account, arn: by } = refuseOthers(context.env.caller, route.who, id, ports);
      const body = accepted(route.body ?? NOTHING, await jsonOf(context), 'body');
      const query = accepted(route.query ?? NOTHING, context.req.query(), 'query');
      const asked = route.who === 'member' && route.method !== 'GET';
      const before = asked ? await versionOf(id, ports) : 0;
      const answer = await actOf(name)({ id, account, by, body, query } as Call, ports);
      const n = asked ? await versionOf(id, ports) : 0;
      // By the version: a look that was started for an earlier one may be past this member, or over.
      if (n !== before) await deliverSoon(ports, memberExecutionName(id, ports.clock.now(), n), { member: id });
      return context.json(route.answer.parse(answer) as object, route.status);
    });
  }
  const unknown = 'docs/api/openapi.json has all that there is.';
  app.notFound((context) => told(context, new ApiRefused('NoSuchRoute', 'there is no such route', unknown), ports));
  app.onError((error, context) => told(context, error, ports));
  return app;
}

const versionOf = async (id: string, { vault }: ApiPorts): Promise<number> =>
  (await readMember(vault, id))?.value.n ?? 0;

const NOTHING = z.strictObject({});

/** A route's schemas are what its act takes: the type of `ACTS` holds the two together, row by row. */
const actOf = (name: RouteId) => ACTS[name] as (call: Call, ports: ApiPorts) => Promise<unknown>;

/** The longest text of a schema's complaints: each names a field, and a body may have hundreds that are unknown. */
const LONGEST_COMPLAINT = 500;

function accepted(schema: z.ZodType, value: unknown, what: string): object {
  const result = schema.safeParse(value);
  if (result.success) return result.data as object;
  const why = z.prettifyError(result.error).slice(0, LONGEST_COMPLAINT);
  throw new ApiRefused(
    'RequestInvalid',
    `the ${what} is not what it must be: ${why}`,
    'Compare it with the API’s page.',
  );
}

async function jsonOf({ req }: Context<Env>): Promise<unknown> {
  const bytes = await req.arrayBuffer();
  if (bytes.byteLength > MOST_OF_A_BODY) {
    const most = `the body is longer than the ${MOST_OF_A_BODY} bytes that it may have`;
    throw new ApiRefused('BodyTooLarge', most, 'Send what the API’s page says, and nothing else.');
  }
  if (bytes.byteLength === 0) return {};
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw new ApiRefused('RequestInvalid', 'the body is not JSON in UTF-8', 'Send an object of JSON.');
  }
}

function told(context: Context<Env>, error: unknown, { journal }: ApiPorts): Response {
  const status = statusOf(error);
  if (status >= 500) journal.failure('not answered', { method: context.req.method }, error);
  // What the vault is called, and what a bug says, is for the log.
  const shown = status < 500 && error instanceof LedgerholdError ? error : AWAY;
  const { name, message, remedy } = shown;
  return context.json({ error: { name, message, remedy } }, status);
}

const AWAY = {
  ...{ name: 'NotAnswered', message: 'the vault cannot be asked now, or something in it is not as it was written' },
  remedy: 'Try again in a minute; if it stays so, tell the operator, whose log has the reason.',
};

function statusOf(error: unknown): 400 | 403 | 404 | 409 | 413 | 429 | 500 | 503 {
  if (error instanceof ApiRefused) return REFUSALS[error.name];
  if (error instanceof TooManyActs) return 429;
  if (error instanceof MemberActRefused) return 409;
  return error instanceof VaultUnavailable ? 503 : 500;
}
