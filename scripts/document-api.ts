import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { Failure, REFUSALS, ROUTES, type Route } from '../core/member-api.ts';
import { MemberId } from '../core/members.ts';
import { NodeName } from '../core/names.ts';

/** OpenAPI 3.1 of all routes, from the very schemas that requests and answers are held to. */
export function openApi(): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const [operationId, route] of Object.entries(ROUTES) as [string, Route][]) {
    paths[route.path] = { ...paths[route.path], [route.method.toLowerCase()]: operation(operationId, route) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Ledgerhold: members, and the backup of chains',
      version: '1',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      description: `Every call is signed (Signature Version 4, service execute-api). What is not done is answered with an error by name: ${errors()}.`,
    },
    servers: [
      {
        url: 'https://{api}.execute-api.{region}.amazonaws.com/v1',
        variables: { api: { default: 'api' }, region: { default: 'eu-central-1' } },
      },
    ],
    security: [{ sigv4: [] }],
    paths,
    components: {
      securitySchemes: {
        sigv4: { type: 'apiKey', name: 'Authorization', in: 'header', 'x-amazon-apigateway-authtype': 'awsSigv4' },
      },
      schemas: { Failure: schemaOf(Failure) },
    },
  };
}

const errors = (): string =>
  Object.entries({ ...REFUSALS, MemberActRefused: 409, TooManyActs: 429, NotAnswered: '500 or 503' })
    .map(([name, status]) => `${name} (${status})`)
    .join(', ');

function operation(operationId: string, { who, summary, query, body, status, answer }: Route): object {
  const id = { name: 'id', in: 'path', required: true, schema: schemaOf(who === 'member' ? MemberId : NodeName) };
  const caller = who === 'member' ? 'The caller’s account must be the member’s.' : 'For the operator’s account only.';
  return {
    ...{ operationId, summary, description: caller, tags: [who] },
    parameters: [id, ...(query === undefined ? [] : parametersOf(query))],
    ...(body && { requestBody: { required: true, content: jsonOf(schemaOf(body, 'input')) } }),
    responses: {
      [status]: { description: 'Done', content: jsonOf(schemaOf(answer)) },
      default: { description: 'Not done, and why', content: jsonOf({ $ref: '#/components/schemas/Failure' }) },
    },
  };
}

const jsonOf = (schema: object) => ({ 'application/json': { schema } });

function parametersOf(query: z.ZodType): object[] {
  const { properties = {} } = schemaOf(query) as { properties?: Record<string, object> };
  const { required = [] } = schemaOf(query, 'input') as { required?: string[] };
  return Object.entries(properties).map(([name, schema]) => ({
    ...{ name, in: 'query', required: required.includes(name), schema },
  }));
}

function schemaOf(schema: z.ZodType, io: 'input' | 'output' = 'output'): object {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io });
  return rest;
}

export const openApiText = (): string => `${JSON.stringify(openApi(), null, 2)}\n`;

if (import.meta.main) writeFileSync(join(import.meta.dirname, '../docs/api/openapi.json'), openApiText());
