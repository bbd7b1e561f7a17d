import { describe, expect, test } from '@jest/globals';
import { actOn, memberVersions, readMember, readMembers } from '../../vault/members.ts';
import { deliveryWorld } from '../support/delivery-world.ts';

const bytes = (text: string) => Buffer.from(text);

describe('the registry of members', () => {
  test('keeps every version, with who and when, and loses none of two acts at once', async () => {
    const { vault, register, registry } = deliveryWorld();
    await register('bank-a');
    await Promise.all([
      actOn(registry, 'bank-a', { what: 'set', environmentBackupTarget: true }),
      actOn(registry, 'bank-a', { what: 'set', chains: ['consortium'] }),
    ]);
    const versions = await memberVersions(vault, 'bank-a');
    expect(versions.map(({ value }) => value.what)).toEqual(['register', 'check', 'set', 'set']);
    expect(versions.at(-1)?.value).toMatchObject({
      environmentBackupTarget: true,
      chains: ['consortium'],
      by: 'a test',
    });
  });

  test.each(['edited', 'moved', 'truncated'])(
    'a version that was %s is named, and nothing is delivered there',
    async (how) => {
      const { vault, join, run, history, held, shared } = deliveryWorld();
      await history.seal(bytes('a'));
      await join('bank-a', 'bank-b');
      const key = 'members/bank-a/00000003.json';
      const text = Buffer.from(vault.objects.get(key) ?? []).toString();
      if (how === 'edited') vault.objects.set(key, bytes(text.replace('/bank-a', '/bank-x')));
      if (how === 'moved') vault.objects.set('members/bank-a/00000004.json', bytes(text));
      if (how === 'truncated') vault.objects.set(key, bytes(text.slice(0, 40)));
      const { members, unreadable } = await readMembers(vault);
      expect(members.map(({ value }) => value.member)).toEqual(['bank-b']);
      expect(unreadable).toMatchObject([{ id: 'bank-a', fault: { name: 'NotADocument' } }]);
      expect(unreadable[0]?.fault.message).toMatch(/^members\/bank-a\/0000000/);
      await run();
      expect(held('bank-a')).toEqual([]);
      expect(held('bank-b')).toEqual(shared());
    },
  );

  test.each([
    ['edited', (version: object) => ({ ...version, by: 'nobody' })],
    ['taken away', () => undefined],
  ])('a version of the registry before the newest that was %s is refused by name', async (_, edit) => {
    const { vault, join } = deliveryWorld();
    await join('bank-a');
    const newest = (await readMember(vault, 'bank-a'))?.value.n ?? 0;
    const key = `members/bank-a/${String(newest - 1).padStart(8, '0')}.json`;
    const edited = edit(JSON.parse(Buffer.from(vault.objects.get(key) ?? []).toString()));
    if (edited === undefined) vault.objects.delete(key);
    else vault.objects.set(key, Buffer.from(JSON.stringify(edited)));
    const refusal = { name: 'NotADocument', message: expect.stringContaining('does not follow the version before it') };
    await expect(readMember(vault, 'bank-a')).rejects.toMatchObject(refusal);
  });
});
