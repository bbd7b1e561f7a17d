import { spawn } from 'node:child_process';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ageIdentity } from '../../io/age.ts';
import { createKeyFile } from '../../local/key-file-signer.ts';
import { ended, PROGRAM, type Said } from '../support/cli-world.ts';

interface Listener {
  readonly port: number;
  readonly calls: number;
  stop(): void;
}

/** Answers nobody, and counts who comes: every service and database of the config is here. */
async function listener(): Promise<Listener> {
  let calls = 0;
  const server: Server = createServer((socket) => {
    calls += 1;
    socket.destroy();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new TypeError('a TCP server without a port');
  return {
    port: address.port,
    get calls() {
      return calls;
    },
    stop: () => void server.close(),
  };
}

/** Each: what is wrong, the lines changed, the place named, and what is said of it. */
const BAD: readonly (readonly [what: string, from: string | RegExp, to: string, place: RegExp, says: RegExp])[] = [
  ['a component that the protocol does not know', 'participant: {', 'particpant: {', /:22:7/, /participant/],
  [
    'a role that the protocol does not know',
    'postgres: { url: postgres://u@',
    'role: mediator, postgres: { url: postgres://u@',
    /:21:7/,
    /mediator/,
  ],
  ['one database for two components', '/participant }', '/app }', /:22:7/, /app/],
  ['one RDS instance for two ordered components', /postgres: \{ url: [^}]*\}/g, 'rds: mine', /:22:7/, /mine/],
  ['a missing component', /^ {6}participant.*\n/m, '', /:\d+:\d+/, /participant/],
  ['a number where words belong', 'every: 4 hours', 'every: 4', /:11:12/, /4/],
  ['a list where a mapping belongs', 'vault: { folder: ./vault }', 'vault: [./vault]', /:2:8/, /vault/],
  ['a key that nobody knows', 'every: 4 hours', 'evry: 4 hours', /:11:5/, /did you mean every/],
  ['a key of the top that nobody knows', 'network: acme', 'netwerk: acme', /:1:1/, /did you mean network/],
  ['two vaults at once', '{ folder: ./vault }', '{ folder: ./vault, s3: { bucket: abc } }', /:2:8/, /exactly one/],
  ['a password in the file', 'postgres://u@', 'postgres://u:sentinel-pw@', /:21:\d+/, /password/],
  ['a node twice', /(nodes:\n)([^]*)$/, '$1$2$2', /:23:11/, /another node/],
  ['a key twice', 'network: acme', 'network: acme\nnetwork: acme', /:2:1/, /unique/],
  ['text that is no YAML', 'nodes:', 'nodes: ]', /:8:8/, /./],
  [
    'a mapping that holds itself',
    'timeZone: UTC',
    'retention: &a { keepLast: 1, daily: *a }',
    /:7:\d+/,
    /daily|itself|number/,
  ],
  ['an alias of nothing', 'timeZone: UTC', 'timeZone: *nowhere', /:7:11/, /nowhere/],
  [
    'a participant’s id that is none',
    'protocol: splice',
    'protocol: splice\n    participant: PAR::short',
    /:11:18/,
    /1220/,
  ],
  ['an unknown protocol', 'protocol: splice', 'protocol: splic', /:10:15/, /splice/],
  ['a time zone that is none', 'timeZone: UTC', 'timeZone: Mars', /:7:11/, /Mars/],
  ['an age recipient that is none', /age1[a-z0-9]+/, 'AGE-SECRET-KEY-1SENTINEL', /:4:16/, /private half/],
];

describe('a config that says what it may not', () => {
  let folder: string;
  let there: Listener;
  let good: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ledgerhold-bad-'));
    there = await listener();
    await writeFile(join(folder, 'ledgerhold.yaml'), '');
    await createKeyFile(join(folder, 'signing-key.pem'));
    const at = `127.0.0.1:${there.port}`;
    good = `network: acme
vault: { folder: ./vault }
encryption:
  recipients: [${(await ageIdentity()).recipient}]
signing: { keyFile: ./signing-key.pem }
# For schedules
timeZone: UTC
nodes:
  - name: validator-1
    protocol: splice
    every: 4 hours
    identities:
      url: http://${at}/api/validator
      auth:
        tokenUrl: http://${at}/token
        clientId: backup
        clientSecret: { env: SECRET }
        audience: validator
    # Captured in this order
    components:
      validator-app: { postgres: { url: postgres://u@${at}/app } }
      participant: { postgres: { url: postgres://u@${at}/participant } }
`;
  });
  afterAll(async () => {
    there.stop();
    await rm(folder, { recursive: true, force: true });
  });

  async function cli(yaml: string, args: readonly string[]): Promise<Said> {
    await writeFile(join(folder, 'ledgerhold.yaml'), yaml);
    const env = { ...process.env, SECRET: 'word' };
    return ended(spawn(process.execPath, [PROGRAM, ...args, '--json'], { cwd: folder, env }));
  }

  test.each(BAD)(
    '%s ends with 2, the place, no call and nothing written',
    async (_what, from, to, place, says) => {
      const yaml = good.replace(from, to);
      expect(yaml).not.toBe(good);
      const before = { calls: there.calls, files: await readdir(folder) };
      const said = await cli(yaml, ['backup']);
      expect(said).toMatchObject({ status: 2, json: { ok: false, code: 'CONFIG_INVALID' } });
      const { name, message = '', remedy } = said.json.error ?? {};
      expect({ name, remedy }).toEqual({ name: 'ConfigInvalid', remedy: expect.stringMatching(/\w/) });
      expect(message).toMatch(new RegExp(`ledgerhold\\.yaml${place.source} `));
      expect(message).toMatch(says);
      expect(said.stdout + said.stderr).not.toMatch(/sentinel/i);
      expect({ calls: there.calls, files: await readdir(folder) }).toEqual(before);
    },
    30_000,
  );

  test.each([[['plan']], [['doctor']], [['status']], [['drill']], [['serve', '--once']]])(
    '%s does not begin with it either',
    async (verb) => {
      const before = there.calls;
      expect(await cli(good.replace('every', 'evry'), verb)).toMatchObject({ status: 2 });
      expect(there.calls).toBe(before);
    },
    30_000,
  );

  test('put right, the same config is acted on: the listener would have seen it', async () => {
    expect(await cli(good, ['backup'])).toMatchObject({ status: 4 });
    expect(there.calls).toBeGreaterThan(0);
  }, 30_000);
});
