import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { type Loaded, NotSupportedYet, nodeNamed, nodesMeant, UnknownNode } from '../../cli/context.ts';
import { prepareNode, runOf, slotOf } from '../../cli/nodes.ts';
import { refuseSnapshots, snapshotCall, snapshotSources } from '../../cli/snapshot-sources.ts';
import { ConfigInvalid, parseConfig } from '../../config/parse.ts';
import { SecretMissing } from '../../config/secrets.ts';

const example = (name: string) =>
  readFileSync(new URL(`../../examples/${name}/ledgerhold.yaml`, import.meta.url), 'utf8');

function loaded(text: string, env: Record<string, string> = {}): Loaded {
  const nothing = () => Promise.reject(new Error('not expected'));
  const secrets = { env, readFile: nothing, secretsManager: nothing };
  return { file: 'c.yaml', text, config: parseConfig('c.yaml', text), path: (path) => `/etc/${path}`, secrets };
}

const synchronizer = example('canton-synchronizer');
const urls = {
  PARTICIPANT_DB_URL: 'postgres://p:pw@db.internal/participant',
  MEDIATOR_DB_URL: 'postgres://m:pw@db.internal:5432/mediator',
  SEQUENCER_DB_URL: 'postgres://s:pw@db.internal/sequencer',
};
const prepare = (env: Record<string, string>, text = synchronizer) => {
  const context = loaded(text, env);
  return prepareNode(context, nodeNamed(context.config, undefined));
};

describe('prepareNode', () => {
  test('resolves addresses, makes paths absolute, and sorts the components', async () => {
    const { plan, databases } = await prepare(urls);
    expect(plan.waves).toEqual([['participant', 'mediator'], ['sequencer']]);
    expect(databases.get('sequencer')).toEqual({ url: urls.SEQUENCER_DB_URL, sslRootCert: '/etc/./db-ca.pem' });
  });

  test('names the variable that is missing', async () => {
    const { MEDIATOR_DB_URL: _, ...rest } = urls;
    await expect(prepare(rest)).rejects.toThrow(SecretMissing);
    await expect(prepare(rest)).rejects.toThrow('MEDIATOR_DB_URL');
  });

  test('finds out one database under two names, users and spellings, with its place, and shows no password', async () => {
    const env = { ...urls, SEQUENCER_DB_URL: 'postgres://other:secret-pw@db.internal:5432/mediator?sslmode=require' };
    const failure = await prepare(env).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(ConfigInvalid);
    const { message, cause, problems } = failure as ConfigInvalid;
    expect(problems[0]).toMatchObject({ path: 'nodes[0].components.sequencer', column: 7 });
    expect(cause).toMatchObject({ name: 'SharedSource' });
    expect(message).not.toContain('secret-pw');
  });

  test('keeps apart databases of one name behind different commands', async () => {
    const text = synchronizer
      .replace('url: { env: MEDIATOR_DB_URL }', 'url: postgres://u@localhost/node, via: docker exec -i one')
      .replace('url: { env: SEQUENCER_DB_URL }', 'url: postgres://u@localhost/node, via: docker exec -i two');
    await expect(prepare(urls, text)).resolves.toBeDefined();
  });

  test.each([
    [
      'a chain',
      `network: n
vault: { folder: ./v }
encryption: none
signing: { keyFile: k }
nodes: [{ name: c, protocol: ethereum, client: geth, monitor: { rpc: http://10.0.0.1:1 }, validators: [{ name: a, rpc: http://10.0.0.2:1 }] }]
`,
    ],
  ])('refuses %s by name, which no verb of this version takes', async (_what, text) => {
    await expect(prepare(urls, text)).rejects.toThrow(NotSupportedYet);
  });

  test('with a database in RDS plans the call, and is not backed up on this machine', async () => {
    const mediator = 'postgres: { url: { env: MEDIATOR_DB_URL }, sslRootCert: ./db-ca.pem }';
    const prepared = await prepare(urls, synchronizer.replace(mediator, 'rdsCluster: my-db'));
    expect(prepared.databases.has('mediator')).toBe(false);
    expect(snapshotSources(prepared.node).map(snapshotCall)).toEqual(['rds:CreateDBClusterSnapshot of my-db']);
    expect(() => refuseSnapshots(prepared)).toThrow(NotSupportedYet);
    expect(() => refuseSnapshots({ ...prepared, node: { ...prepared.node, components: {} } })).not.toThrow();
  });

  test('gives the workflow names alone', async () => {
    const context = loaded(synchronizer, urls);
    const run = runOf(context, await prepare(urls), slotOf('manual-1'), 'manual');
    expect(JSON.stringify(run)).not.toContain('pw');
    expect(run).toMatchObject({ network: 'my-synchronizer', pollSeconds: 0, maxSpreadSeconds: 21_600 });
  });
});

describe('a slot', () => {
  test.each([
    ['2026-11-21T10:00:00+01:00', '2026-11-21T09:00:00Z'],
    ['2026-11-21T09:00:00.250Z', '2026-11-21T09:00:00Z'],
    ['2026-11-21T09:00Z', '2026-11-21T09:00:00Z'],
    ['before-upgrade', 'before-upgrade'],
  ])('%s is %s', (text, slot) => expect(slotOf(text)).toBe(slot));

  test.each(['../up', 'a b', '', '2026-11-21T99:00:00Z/'])('"%s" is refused', (text) => {
    expect(() => slotOf(text)).toThrow('slot');
  });
});

describe('the nodes meant', () => {
  const two = loaded(
    synchronizer.replace(
      'retention:',
      `${synchronizer.slice(synchronizer.indexOf('  - name'), synchronizer.indexOf('retention:')).replace('synchronizer-1', 'synchronizer-2').replace('protocol', 'enabled: false\n    protocol')}retention:`,
    ),
  ).config;

  test('are those that are enabled, or the one named', () => {
    expect(nodesMeant(two, undefined).map(({ name }) => name)).toEqual(['synchronizer-1']);
    expect(nodesMeant(two, 'synchronizer-2').map(({ name }) => name)).toEqual(['synchronizer-2']);
  });

  test('are asked for where there are several, and suggested where the name is wrong', () => {
    expect(() => nodeNamed(two, undefined)).toThrow(UnknownNode);
    expect(() => nodeNamed(two, 'synchronizr-2')).toThrow('synchronizr-2');
  });
});
