import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { memberKeyStatement, memberPolicy } from '../../core/member-policy.ts';

const page = readFileSync(join(import.meta.dirname, '../../docs/members.md'), 'utf8');
const access = { network: 'acme', member: 'bank-a', operatorAccount: '111111111111', bucket: 'b' };

describe('docs/members.md', () => {
  test('has every statement of the policy once, in its order, with the very actions', () => {
    const rows = [...page.matchAll(/^\| `(\w+)` \| ([^|]*) \| [^|]*\w[^|]* \|$/gm)];
    const told = rows.map(([, sid, actions = '']) => ({
      sid,
      actions: actions.match(/(?<=`)[a-z0-9]+:[\w*]+/g) ?? actions,
    }));
    const { Statement } = memberPolicy({ ...access, reads: true });
    const adds = Statement.find(({ Sid }) => Sid === 'DeliveryDoesNothingElse')?.NotAction;
    expect(told).toEqual(
      Statement.map(({ Sid, Action, NotAction }) => ({
        sid: Sid,
        actions: NotAction ? 'all but these' : Sid === 'DeliveryGoesNowhereElse' ? 'these' : [Action].flat(),
      })),
    );
    const allowed = Statement.filter(({ Effect }) => Effect === 'Allow').flatMap(({ Action }) => Action);
    expect(adds).toEqual(allowed);
  });

  test('has the statement of the key with its actions', () => {
    const { Sid, Action } = memberKeyStatement(access, 'eu-central-1');
    expect(page.replaceAll('\n', ' ')).toContain(
      `\`${Sid}\`, with ${[Action]
        .flat()
        .map((each) => `\`${each}\``)
        .join(' and ')}`,
    );
  });
});
