import { expect, test } from '@jest/globals';
import { whoActs } from '../../cli/members.ts';

test('who has no name on this machine, as in a container, acts by number', () => {
  const nameless = () => {
    throw new Error('uv_os_get_passwd returned ENOENT');
  };
  expect(whoActs(nameless as never)).toMatch(new RegExp(`^uid-${process.getuid?.()}@.+`));
});
