import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from '@jest/globals';

const ANALYZE = '/usr/bin/systemd-analyze';
const describeWithSystemd = existsSync(ANALYZE) ? describe : describe.skip;

const unit = () => readFile(join(import.meta.dirname, '../../examples/systemd/ledgerhold.service'), 'utf8');

describeWithSystemd('the systemd unit, where systemd-analyze is installed', () => {
  test('is one that systemd understands', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'ledgerhold-test-'));
    try {
      const file = join(dir, 'ledgerhold.service');
      // The program and its user need not be installed here.
      const here = (await unit()).replace(/^ExecStart=\S+/m, 'ExecStart=/bin/true').replace(/^User=.*\n/m, '');
      await writeFile(file, here);
      const { stdout, stderr } = await promisify(execFile)(ANALYZE, ['verify', '--man=no', file], { timeout: 30_000 });
      expect(`${stdout}${stderr}`).toBe('');
    } finally {
      await rm(dir, { recursive: true, force: true });
    }
  }, 40_000);
});

describe('the systemd unit', () => {
  test('holds no secret, gains no right, and does not start again with a wrong config', async () => {
    const lines = (await unit()).split('\n');
    expect(lines.filter((line) => line.startsWith('Environment='))).toEqual([]);
    for (const line of [
      'EnvironmentFile=/etc/ledgerhold/secrets.env',
      'NoNewPrivileges=yes',
      'ProtectSystem=strict',
      'Restart=on-failure',
      'RestartPreventExitStatus=2',
    ]) {
      expect(lines).toContain(line);
    }
  });
});
