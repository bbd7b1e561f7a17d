import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { deploymentSteps } from '../../core/deployments.ts';

let bin = '';
beforeEach(() => {
  bin = mkdtempSync(join(tmpdir(), 'ledgerhold-deployments-'));
});
afterEach(() => rmSync(bin, { recursive: true }));

/** Puts a command in the way that notes its arguments, and does what `body` says. */
const standIn = (name: string, body = '') =>
  writeFileSync(join(bin, name), `#!/bin/sh\necho "${name} $*" >> ${bin}/log\n${body}\n`, { mode: 0o755 });

function shell(commands: readonly { run: string }[]): string {
  const script = commands.map(({ run }) => run).join('\n');
  execFileSync('sh', ['-euc', script], { env: { PATH: `${bin}:/usr/bin:/bin` }, timeout: 20_000 });
  return execFileSync('sort', ['-u', join(bin, 'log')], { encoding: 'utf8' });
}

describe('compose', () => {
  const { stop, start } = deploymentSteps({
    compose: {
      dir: "/opt/it's here",
      postgresService: 'postgres-splice',
      start: './start.sh -s X -m 4',
      stop: './stop.sh',
    },
  });

  test('stops all, starts PostgreSQL alone and waits for it; then ends it and starts all', () => {
    expect(stop.map(({ run }) => run.replace(/^cd .* && /, ''))).toEqual([
      './stop.sh',
      'docker volume ls',
      'docker compose up -d postgres-splice',
      'until docker compose exec -T postgres-splice pg_isready -q; do sleep 1; done',
    ]);
    expect(start.map(({ run }) => run)).toEqual([
      "cd '/opt/it'\\''s here' && docker compose down",
      "cd '/opt/it'\\''s here' && ./start.sh -s X -m 4",
    ]);
  });
});

describe('kubernetes', () => {
  const { stop, start } = deploymentSteps({
    kubernetes: { namespace: 'validator', deployments: ['participant', 'validator-app'] },
  });
  const pods = (...names: string[]) => `echo '${names.map((name) => `pod/${name}`).join('\n')}'`;

  test('scales to none, waits until the last pod is gone, and scales to one', () => {
    standIn(
      'kubectl',
      `case "$*" in *get*) if [ -e ${bin}/asked ]; then ${pods('postgres-0', 'participant-web-5f7-x2x')}; else touch ${bin}/asked; ${pods('participant-7c9f-abcde')}; fi;; esac`,
    );
    expect(shell(stop)).toBe(
      'kubectl -n validator get pods -o name\n' +
        'kubectl -n validator scale --replicas=0 deployment/participant deployment/validator-app\n',
    );
    expect(shell(start)).toContain('scale --replicas=1 deployment/participant deployment/validator-app');
  });

  test('does not take a kubectl that fails for pods that are gone', () => {
    standIn(
      'kubectl',
      `case "$*" in *get*) if [ -e ${bin}/asked ]; then exit 0; fi; touch ${bin}/asked; exit 1;; esac`,
    );
    standIn('sleep', 'exit 0');
    expect(shell(stop)).toContain('sleep 1');
  });
});

test('an unknown deployment is described in words that a shell leaves alone', () => {
  const { kind, stop, start } = deploymentSteps(undefined);
  expect(kind).toBe('other');
  for (const { run } of [...stop, ...start]) expect(run).toMatch(/^# /);
});
