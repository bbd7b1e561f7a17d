import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { ConfigInvalid, parseConfig } from '../../config/parse.ts';
import type { Problem } from '../../config/problems.ts';

const example = (name: string) =>
  readFileSync(new URL(`../../examples/${name}/ledgerhold.yaml`, import.meta.url), 'utf8');
const splice = example('splice-validator');

/** Text with one change; throws if the change meets nothing, so that no case is empty. */
function changed(text: string, from: string, to: string): string {
  if (!text.includes(from)) throw new Error(`the example has no ${from}`);
  return text.replace(from, to);
}

function problemsOf(text: string): readonly Problem[] {
  try {
    parseConfig('ledgerhold.yaml', text);
  } catch (error) {
    if (error instanceof ConfigInvalid) return error.problems;
    throw error;
  }
  throw new Error('it was accepted');
}

const lineOf = (text: string, words: string): number => text.split('\n').findIndex((line) => line.includes(words)) + 1;

describe('parseConfig', () => {
  test.each(['splice-validator', 'canton-synchronizer'])('accepts the example %s', (name) => {
    expect(parseConfig('ledgerhold.yaml', example(name)).nodes).toHaveLength(1);
  });

  test('reads durations as seconds, rates as bytes, and fills in what is usual', () => {
    const text = changed(splice, 'every: 4 hours', 'every: 90 minutes\n    rateLimit: 20 MiB/s');
    const { nodes, timeZone } = parseConfig('ledgerhold.yaml', text);
    expect(nodes[0]).toMatchObject({ every: 5400, rateLimit: 20 * 2 ** 20, maxSpread: 21_600, enabled: true });
    expect(timeZone).toBe('UTC');
  });

  test('accepts what the nodes and members of later versions need', () => {
    const text = `
network: acme-prod
vault: { s3: { bucket: acme-backups, prefix: ledgers, region: eu-central-1, account: '111111111111' } }
secondVault: { folder: /mnt/second }
encryption: { kms: alias/ledgerhold }
signing: { kms: alias/ledgerhold-signing }
nodes:
  - name: consortium
    protocol: ethereum
    client: quorum
    monitor: { rpc: http://10.0.0.5:8545 }
    validators: [{ name: bank-a, rpc: http://10.0.0.6:8545 }, { name: bank-b, rpc: { env: BANK_B_RPC } }]
    agreement: all
    timesADay: 4
    enabled: false
members:
  - { id: bank-a, account: '111111111111', bucket: bank-a-ledger, region: eu-central-1 }
  - { id: bank-b, folder: ./bank-b }
retention: { keepLast: 12, daily: 14, weekly: 2 }
notify: { webhook: { url: https://hooks.example.com/x, secret: { env: HOOK } }, deadMansSwitch: { url: https://ping.example.com } }
`;
    expect(parseConfig('ledgerhold.yaml', text).members).toHaveLength(2);
  });
});

describe('a config that is not valid', () => {
  test.each([
    ['an unknown key', 'via: docker', 'viaa: docker', 'nodes[0].components.validator-app.postgres.viaa', 'via'],
    ['an unknown key at the root', 'timeZone:', 'timezone:', 'timezone', 'timeZone'],
    ['an unknown protocol', 'protocol: splice', 'protocol: splise', 'nodes[0].protocol', 'splice'],
    ['a wrong type', 'keepLast: 12', 'keepLast: twelve', 'retention.keepLast', undefined],
    ['a wrong unit', 'every: 4 hours', 'every: 4 moons', 'nodes[0].every', undefined],
    ['no time zone', 'timeZone: UTC', 'timeZone: Mars/Base', 'timeZone', undefined],
    ['both of two', '{ folder: ./vault }', '{ folder: ./v, s3: { bucket: abc } }', 'vault', undefined],
    ['neither of two', '{ keyFile: ./signing-key.pem }', '{}', 'signing', undefined],
    ['an unknown component', 'validator-app:', 'validator-ap:', 'nodes[0].components.validator-ap', undefined],
    ['a wrong name', 'name: validator-1', 'name: Validator_1', 'nodes[0].name', undefined],
    [
      'an account as a number',
      '{ folder: ./vault }',
      '{ s3: { bucket: abc, account: 111111111111 } }',
      'vault.s3.account',
      undefined,
    ],
  ])('%s is told with its line, path and nearest valid word', (_what, from, to, path, nearest) => {
    const text = changed(splice, from, to);
    const problem = problemsOf(text).find((each) => each.path === path);
    expect(problem).toMatchObject({ file: 'ledgerhold.yaml', path });
    expect(problem?.line).toBe(lineOf(text, to.split('\n')[0] ?? ''));
    expect(problem?.nearest).toBe(nearest);
  });

  test('is told with all of its problems at once, in the order of the file', () => {
    const text = changed(changed(splice, 'network:', 'netwrok:'), 'protocol: splice', 'protocol: corda');
    expect(problemsOf(text).map(({ path }) => path)).toEqual(['network', 'netwrok', 'nodes[0].protocol']);
  });

  describe('a second vault in S3 beside `aws`', () => {
    const aws = "aws: { account: '111111111111', region: eu-central-1 }";
    const withSecond = (s3: string, deployed = aws) => `${splice}\n${deployed}\nsecondVault: { s3: ${s3} }\n`;

    test.each([
      ['an account', '{ bucket: second, region: eu-west-1 }'],
      ['a Region', "{ bucket: second, account: '222222222222' }"],
    ])('needs %s, since it is deployed there', (what, s3) => {
      const problems = problemsOf(withSecond(s3));
      expect(problems).toMatchObject([{ path: 'secondVault.s3' }]);
      expect(problems[0]?.message).toContain(`which ${what.split(' ')[1]?.toLowerCase()} the second vault's bucket`);
    });

    test('needs both, and says so of both at once', () => {
      expect(problemsOf(withSecond('{ bucket: second }'))).toHaveLength(2);
    });

    test('is taken with both; and without, at another service or where nothing is deployed', () => {
      for (const text of [
        withSecond("{ bucket: second, region: eu-west-1, account: '222222222222' }"),
        withSecond('{ bucket: second, endpoint: https://s3.example.com }'),
        withSecond('{ bucket: second }', ''),
      ]) {
        expect(parseConfig('ledgerhold.yaml', text).secondVault?.s3?.bucket).toBe('second');
      }
    });
  });

  test('points at the column of the value', () => {
    const text = changed(splice, 'every: 4 hours', 'every: soon');
    const [problem] = problemsOf(text);
    expect(problem).toMatchObject({ column: 12, value: '"soon"' });
  });

  test('says which required part is missing', () => {
    const text = splice.replace(/ {6}participant:\n(?: {8}.*\n)+/, '');
    expect(
      problemsOf(text)
        .map(({ message }) => message)
        .join(),
    ).toContain('no component is the participant');
  });

  test('is refused when two components are one database', () => {
    const [problem] = problemsOf(changed(splice, 'localhost/participant', 'localhost/validator'));
    expect(problem).toMatchObject({ path: 'nodes[0].components.participant' });
    expect(problem?.message).toContain('one and the same database');
  });

  test('is refused when two nodes have one name', () => {
    const node = splice.slice(splice.indexOf('  - name: validator-1'), splice.indexOf('# Kept:'));
    const [problem] = problemsOf(changed(splice, '# Kept:', `${node}\n# Kept:`));
    expect(problem).toMatchObject({ path: 'nodes[1].name', message: 'another node has this name' });
  });

  test.each([
    [
      'a secret written in clear',
      '{ unsafe: { user: administrator, audience: https://validator.example.com } }',
      '{ tokenUrl: https://t.example.com, clientId: me, clientSecret: hunter2-sentinel }',
    ],
    [
      'a password in an address',
      'postgres://cnadmin@localhost/validator',
      'postgres://cnadmin:hunter2-sentinel@localhost/validator',
    ],
  ])('%s is refused and not quoted', (_what, from, to) => {
    const problems = problemsOf(changed(splice, from, to));
    expect(problems.length).toBeGreaterThan(0);
    expect(JSON.stringify(problems)).not.toContain('hunter2-sentinel');
  });

  test.each([
    ['no YAML', 'nodes: [1\nb: }'],
    ['a key twice', 'network: a\nnetwork: b'],
    ['nothing', ''],
    ['an alias without an anchor', 'network: *gone'],
  ])('%s is told with a place', (_what, text) => {
    expect(problemsOf(text)[0]?.line).toBeGreaterThan(0);
  });
});
