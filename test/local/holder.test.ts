import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { holderGone, thisHolder } from '../../local/holder.ts';

const linux = existsSync('/proc/self/stat');
const onLinux = linux ? test : test.skip;
const named = (what: string) => (linux ? what : `${what} (this system has no /proc)`);

describe('a lease’s holder', () => {
  test('is another each time, and is not gone while it runs', () => {
    expect(thisHolder()).not.toBe(thisHolder());
    expect(holderGone(thisHolder())).toBe(false);
  });

  onLinux(named('is gone when its process is, also before it has been waited for'), async () => {
    const child = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 60_000)']);
    const parts = thisHolder().split('/');
    const { stdout } = spawn('cat', [`/proc/${child.pid}/stat`]);
    const [stat] = (await once(stdout, 'data')) as [Buffer];
    const start = stat
      .toString()
      .replace(/^.*\) /s, '')
      .split(' ')[19];
    const holder = [...parts.slice(0, 3), child.pid, start, 'nonce'].join('/');
    expect(holderGone(holder)).toBe(false);
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(holderGone(holder)).toBe(true);
  });

  onLinux(named('is gone when another process has its number'), () => {
    const [host, boot, namespace, pid] = thisHolder().split('/');
    expect(holderGone([host, boot, namespace, pid, '1', 'nonce'].join('/'))).toBe(true);
  });

  test.each([
    ['another machine', (parts: string[]) => ['elsewhere', ...parts.slice(1)]],
    ['another boot', (parts: string[]) => [parts[0] ?? '', 'other-boot', ...parts.slice(2)]],
    ['another container', (parts: string[]) => [...parts.slice(0, 2), 'pid:[1]', ...parts.slice(3)]],
  ])('is never called gone on the word of %s', (_where, change) => {
    const parts = thisHolder().split('/');
    parts[3] = '999999999';
    expect(holderGone(change(parts).join('/'))).toBe(false);
  });

  test.each(['', 'arn:aws:states:eu-central-1:1:execution:x:y', 'a/b/c'])(
    'of another form (%j) is not gone',
    (holder) => {
      expect(holderGone(holder)).toBe(false);
    },
  );
});
