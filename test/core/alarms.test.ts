import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as kms from '@aws-sdk/client-kms';
import * as rds from '@aws-sdk/client-rds';
import * as s3api from '@aws-sdk/client-s3';
import * as secretsmanager from '@aws-sdk/client-secrets-manager';
import * as stepfunctions from '@aws-sdk/client-sfn';
import { describe, expect, test } from '@jest/globals';
import { VERBS } from '../../cli/verbs.ts';
import { ALARMS, type AlarmName, alarmsOfNode, awsAlarms, ruleOf, runbookOf } from '../../core/alarms.ts';
import { alarmsPage } from '../../scripts/document-alarms.ts';

const root = join(import.meta.dirname, '../..');
const names = Object.keys(ALARMS) as AlarmName[];

describe('runbooks', () => {
  test('are one for each alarm, and no other', async () => {
    const files = await readdir(join(root, 'docs/runbooks'));
    expect(files.map((file) => `docs/runbooks/${file}`).sort()).toEqual(names.map(runbookOf).sort());
  });

  test.each(names)('of %s say what it means, where to look, what to do and what not', async (name) => {
    const text = await readFile(join(root, runbookOf(name)), 'utf8');
    expect(text.match(/^#+ .*$/gm)).toEqual([`# ${name}`, '## Means', '## Look', '## Do', '## Do not']);
    const links = [...text.matchAll(/\]\(([^)]+)\)/g)].map(([, target = '']) => target);
    expect(links.filter((target) => !existsSync(join(root, 'docs/runbooks', target)))).toEqual([]);
  });
});

describe('the commands in runbooks', () => {
  const commands = async (pattern: RegExp) => {
    const texts = await Promise.all(names.map((name) => readFile(join(root, runbookOf(name)), 'utf8')));
    return texts.flatMap((text) => [...text.replaceAll(/\s+/g, ' ').matchAll(pattern)].map(([, ...parts]) => parts));
  };

  test('of ledgerhold are verbs', async () => {
    const verbs = new Set((await commands(/(?:`|sh )ledgerhold ([a-z]+)/g)).flat());
    expect(verbs.size).toBeGreaterThan(4);
    expect([...verbs].filter((verb) => !VERBS.some(({ name }) => name === verb))).toEqual([]);
  });

  test('of aws are calls of the service', async () => {
    const clients: Readonly<Record<string, object>> = { kms, rds, s3api, secretsmanager, stepfunctions };
    const unknown: string[] = [];
    const checked = new Set<string>();
    for (const [service = '', command = ''] of await commands(/\baws ([a-z0-9-]+) ([a-z-]+)/g)) {
      const client = clients[service];
      if (client === undefined) continue;
      checked.add(service);
      const name = `${command.replaceAll('-', '')}command`;
      if (!Object.keys(client).some((each) => each.toLowerCase() === name)) unknown.push(`${service} ${command}`);
    }
    expect(unknown).toEqual([]);
    expect(checked.size).toBeGreaterThan(4);
  });
});

test('the page of alarms is made of their table; if not: node scripts/document-alarms.ts', async () => {
  expect(await readFile(join(root, 'docs/alarms.md'), 'utf8')).toBe(alarmsPage());
});

describe('an alarm on AWS', () => {
  test.each(awsAlarms)('%s is evaluated within the limits of CloudWatch', (name) => {
    const { periodSeconds, periods } = ruleOf(name);
    expect([10, 20, 30].includes(periodSeconds) || periodSeconds % 60 === 0).toBe(true);
    // A day in all, or seven if a period has an hour or more.
    expect(periods * periodSeconds).toBeLessThanOrEqual(periodSeconds >= 3600 ? 604_800 : 86_400);
  });

  test.each(awsAlarms)('%s is raised when what it watches is not there, or another one is', (name) => {
    const { metric, missing, absenceToldBy, periods, periodSeconds, breaches, each } = ruleOf(name);
    if (metric.namespace !== 'Ledgerhold' && breaches === 'below') {
      // Successes are counted: none is what must be told, and one late run is none in its hour.
      expect([missing, periods > 1]).toEqual(['breaching', true]);
    } else if (metric.namespace !== 'Ledgerhold') {
      // AWS counts events; that nothing happens is watched by SCHEDULE_SILENT.
      expect(missing).toBe('notBreaching');
    } else if (absenceToldBy === undefined) {
      expect(missing).toBe('breaching');
      // One late turn of the watchdog, or of the delivery, wakes nobody.
      expect(periods * periodSeconds).toBeGreaterThan(2 * (each === 'members' ? 3600 : 300));
    } else {
      expect(missing).toBe('ignore');
      expect(ruleOf(absenceToldBy).missing).toBe('breaching');
    }
  });

  test('is one of few for a node: each is a resource', () => {
    expect(alarmsOfNode({ components: ['identities', 'validator-app', 'participant'] })).toBe(8);
  });
});
