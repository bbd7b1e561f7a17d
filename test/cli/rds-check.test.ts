import { beforeEach, expect, test } from '@jest/globals';
import { usableSource } from '../../aws/rds-source.ts';
import type { CheckContext } from '../../cli/checks/check.ts';
import { rdsCheckWith } from '../../cli/checks/rds.ts';
import { parseConfig } from '../../config/parse.ts';
import { type FakeRds, fakeRds } from '../fakes/rds.ts';
import { always } from '../fakes/rds-world.ts';

const text = `
network: acme
vault: { folder: ./vault }
encryption: none
signing: { keyFile: ./key.pem }
nodes:
  - name: p-1
    protocol: canton
    components:
      participant: { rds: ledger-1 }
      mediator: { rdsCluster: mediator-1 }
      sequencer: { rds: sequencer-1 }
`;
let rds: FakeRds;

beforeEach(() => {
  rds = fakeRds({ now: () => new Date(0) });
  rds.addInstance('ledger-1');
  rds.addCluster('mediator-1');
  rds.addInstance('sequencer-1');
});

async function found(more = '') {
  const config = parseConfig('ledgerhold.yaml', text + more);
  const context = { loaded: { config }, nodes: config.nodes.map((node) => ({ node })) } as unknown as CheckContext;
  const isDefaultKey = async () => true;
  const client = rds.client({ maxAttempts: 1 });
  const check = rdsCheckWith(async () => ({ kind, id }, copied) => {
    return usableSource(kind, id, { rds: client, ...(copied && { isDefaultKey }) });
  });
  return (await check.run(context)).map(({ level, text: told }) => `${level} ${told}`);
}

test('sources that are well are told with engine and state', async () => {
  expect(await found()).toEqual([
    'ok participant: instance ledger-1, postgres 15.8, available',
    'ok mediator: cluster mediator-1, aurora-postgresql 15.8, available',
    'ok sequencer: instance sequencer-1, postgres 15.8, available',
  ]);
});

test('a replica, a wrong kind, a bad state and what is missing each fail, and the others are looked at all the same', async () => {
  rds.addInstance('ledger-1', { ReadReplicaSourceDBInstanceIdentifier: 'primary' });
  rds.world.clusters.delete('mediator-1');
  rds.addInstance('sequencer-1', {}, always('inaccessible-encryption-credentials'));
  const findings = await found();
  expect(findings).toEqual([
    expect.stringMatching(/^fail SourceUnusable: .*read replica of primary/),
    expect.stringMatching(/^fail SourceUnusable: .*no cluster mediator-1/),
    expect.stringMatching(/^fail SourceUnusable: .*inaccessible-encryption-credentials/),
  ]);
  rds.addInstance('sequencer-1', { DBClusterIdentifier: 'mediator-1' });
  expect((await found())[2]).toMatch(/^fail .*cluster mediator-1/);
  rds.addInstance('sequencer-1', {}, always('dreaming'));
  expect((await found())[2]).toMatch(/^unknown UnknownStatus: .*dreaming/);
});

test('the default key fails where there is a second vault, and no encryption is warned about', async () => {
  expect((await found('secondVault: { folder: ./second }\n'))[0]).toMatch(/^fail .*default key/);
  rds.addInstance('ledger-1', { StorageEncrypted: false });
  expect((await found()).slice(0, 2)).toEqual([
    expect.stringMatching(/^ok participant/),
    expect.stringMatching(/^warn participant: ledger-1 is not encrypted/),
  ]);
});
