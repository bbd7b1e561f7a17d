import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { DeliveryList } from '../../lambdas/deliver-member/contract.ts';
import { listBeside } from '../../lambdas/list-beside.ts';
import { ApiList } from '../../lambdas/member-api/contract.ts';

describe('the list beside a Lambda’s code', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'ledgerhold-list-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));
  const write = (text: string) => writeFileSync(join(folder, 'list.json'), text);

  test('is who the members are, by their accounts', () => {
    const list = { members: { 'bank-a': '333333333333' }, chains: { consortium: { enabled: true, timesADay: 4 } } };
    write(JSON.stringify(list));
    expect(listBeside(folder, ApiList)).toEqual(list);
    write(JSON.stringify({ members: list.members }));
    expect(listBeside(folder, DeliveryList)).toEqual({ members: list.members });
  });

  test.each([
    ['is not there', undefined],
    ['is no JSON', '{"members":{"bank-a":"333333333333"}'],
    ['is empty', ''],
    ['names no members', '{}'],
    ['has an account of another length', '{"members":{"bank-a":"33333333333"}}'],
    ['has an account that is a number', '{"members":{"bank-a":333333333333}}'],
    ['has an id that no member can have', '{"members":{"Bank A":"333333333333"}}'],
    ['has more than it may', '{"members":{},"accounts":{"bank-a":"333333333333"}}'],
  ])('that %s is refused by name, and nobody is served', (_, text) => {
    if (text !== undefined) write(text);
    expect(() => listBeside(folder, DeliveryList)).toThrow(
      expect.objectContaining({
        name: 'MemberListUnreadable',
        message: expect.not.stringContaining('333'),
        remedy: expect.stringContaining('Deploy the stack again'),
      }),
    );
  });
});
