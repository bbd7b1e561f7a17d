import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { ROUTES } from '../../core/member-api.ts';
import { openApi, openApiText } from '../../scripts/document-api.ts';

interface Operation {
  readonly parameters: readonly { readonly name: string; readonly in: string }[];
  readonly requestBody?: { readonly content: { 'application/json': { schema: { additionalProperties: boolean } } } };
}
const { paths } = openApi() as { paths: Record<string, Record<string, Operation>> };

describe('docs/api/openapi.json', () => {
  test('is what the API is made of (node scripts/document-api.ts)', () => {
    expect(readFileSync(new URL('../../docs/api/openapi.json', import.meta.url), 'utf8')).toBe(openApiText());
  });

  test('has every route, and says that a body has no other fields', () => {
    const operations = Object.values(paths).flatMap((each) => Object.values(each));
    expect(operations).toHaveLength(Object.keys(ROUTES).length);
    const bodies = operations.flatMap(({ requestBody }) => (requestBody === undefined ? [] : [requestBody]));
    expect(bodies.map(({ content }) => content['application/json'].schema.additionalProperties)).toEqual(
      Object.values(ROUTES).flatMap((route) => ('body' in route ? [false] : [])),
    );
  });

  test('names the pages’ query', () => {
    const query = paths['/members/{id}/history']?.['get']?.parameters.filter((each) => each.in === 'query');
    expect(query?.map(({ name }) => name).toSorted()).toEqual(['after', 'node']);
  });
});
